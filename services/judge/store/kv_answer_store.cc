#include "services/judge/store/kv_answer_store.h"

#include <utility>

#include "assay/storage/v1/judge_records.pb.h"
#include "common/kv/mutate.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"
#include "services/judge/store/judge_keys.h"

namespace assay::judge {

absl::StatusOr<std::optional<std::string>> KvAnswerStore::Find(const RequestKey& key) const {
  if (key.request_id.size() > kv::kMaxRequestIdBytes) {
    return InvalidField("request_id",
                        StrCat("at most ", kv::kMaxRequestIdBytes, " bytes are allowed"));
  }
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, store_.Get(AnswerKey(key)));
  if (!bytes.has_value()) return std::nullopt;
  storage::v1::AnswerRecord record;
  if (!record.ParseFromString(*bytes)) {
    return MakeError(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE",
                     "a recorded answer cannot be read");
  }
  if (record.body_sha256() != key.body_sha256) {
    return InvalidField("request_id", "it was used for a request with another body",
                        "REQUEST_ID_REUSED");
  }
  return std::move(*record.mutable_answer());
}

void KvAnswerStore::Record(RequestKey key, std::string answer, DoneStatus done) {
  storage::v1::AnswerRecord record;
  record.set_schema_version(1);
  record.set_body_sha256(key.body_sha256);
  record.set_answer(std::move(answer));
  kv::Batch batch;
  batch.Put(AnswerKey(key), record.SerializeAsString(), clock_.Now() + kv::kRequestRecordLifetime);
  store_.Commit(std::move(batch), std::move(done));
}

}  // namespace assay::judge
