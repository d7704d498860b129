#include "common/kv/mutate.h"

#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "assay/storage/v1/request_record.pb.h"
#include "common/kv/keys.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"

namespace assay::kv {
namespace {

using storage::v1::RequestRecord;

constexpr uint32_t kRequestRecordSchema = 1;

// 0xF0 request record: principal, method, request id -> RequestRecord
std::string RequestRecordKey(const RequestKey& key) {
  return KeyBuilder()
      .Kind(kRequestRecordKind)
      .String(key.principal)
      .String(key.method)
      .String(key.request_id)
      .Build();
}

// The recorded answer to this very request.
absl::StatusOr<std::string> RecordedAnswer(const RequestKey& key, const std::string& bytes) {
  RequestRecord record;
  if (!record.ParseFromString(bytes)) {
    return MakeError(absl::StatusCode::kDataLoss, "STORAGE_CORRUPT",
                     "a recorded answer cannot be read");
  }
  if (record.body_sha256() != key.body_sha256) {
    return InvalidField("request_id",
                        "was used for another request within the last 24 hours; a request_id is "
                        "allowed once, and again only to retry the same request",
                        "REQUEST_ID_REUSED");
  }
  return std::move(*record.mutable_response());
}

std::string NewRecord(const RequestKey& key, const std::string& answer, absl::Time now) {
  RequestRecord record;
  record.set_schema_version(kRequestRecordSchema);
  record.set_body_sha256(key.body_sha256);
  record.set_response(answer);
  const int64_t micros = absl::ToUnixMicros(now);
  record.mutable_create_time()->set_seconds(micros / 1'000'000);
  record.mutable_create_time()->set_nanos(static_cast<int32_t>(micros % 1'000'000 * 1000));
  return record.SerializeAsString();
}

using Body = absl::AnyInvocable<absl::StatusOr<std::string>(Transaction&)>;

absl::StatusOr<std::string> Answer(const RequestKey& key, Body& body, Clock& clock,
                                   Transaction& transaction) {
  if (key.request_id.empty()) return body(transaction);
  const std::string record_key = RequestRecordKey(key);
  ASSAY_ASSIGN_OR_RETURN(const std::optional<std::string> recorded, transaction.Get(record_key));
  if (recorded.has_value()) return RecordedAnswer(key, *recorded);
  ASSAY_ASSIGN_OR_RETURN(std::string answer, body(transaction));
  const absl::Time now = clock.Now();
  transaction.Put(record_key, NewRecord(key, answer, now), now + kRequestRecordLifetime);
  return answer;
}

absl::Status ValidateRequestId(const RequestKey& key) {
  if (key.request_id.size() <= kMaxRequestIdBytes) return absl::OkStatus();
  return InvalidField("request_id", absl::StrCat("has ", key.request_id.size(), " bytes; at most ",
                                                 kMaxRequestIdBytes, " are allowed"));
}

}  // namespace

void Mutate(Store& store, Executor& executor, Clock& clock, RequestKey key, Body body,
            Done<std::string> done) {
  if (absl::Status valid = ValidateRequestId(key); !valid.ok()) {
    executor.Run([done = std::move(done), valid]() mutable { std::move(done)(valid); });
    return;
  }
  auto answer = std::make_shared<std::string>();  // of the last run
  RunTransaction(
      store, executor,
      [answer, &clock, key = std::move(key),
       body = std::move(body)](Transaction& transaction) mutable {
        ASSAY_ASSIGN_OR_RETURN(*answer, Answer(key, body, clock, transaction));
        return absl::OkStatus();
      },
      [answer, done = std::move(done)](absl::Status status) mutable {
        if (!status.ok()) return std::move(done)(std::move(status));
        std::move(done)(std::move(*answer));
      });
}

}  // namespace assay::kv
