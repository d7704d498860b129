// How every mutating RPC writes: a transaction whose answer is recorded under the request's id in
// the same commit as the effect, so that a retry gets the first answer and has no second effect.
//
//   kv::MutateProto<v1::Experiment>(
//       store_, executor_, clock_, kv::MakeRequestKey(context, "CreateExperiment", request),
//       [this, request](kv::Transaction& txn) -> absl::StatusOr<v1::Experiment> { ... },
//       std::move(done));
#ifndef ASSAY_COMMON_KV_MUTATE_H_
#define ASSAY_COMMON_KV_MUTATE_H_

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"
#include "common/kv/transaction.h"
#include "common/request/request_key.h"  // IWYU pragma: export

namespace assay::kv {

inline constexpr absl::Duration kRequestRecordLifetime = absl::Hours(24);
inline constexpr size_t kMaxRequestIdBytes = 128;

using ::assay::MakeRequestKey;
using ::assay::RequestKey;

// Runs `body` in a transaction (see RunTransaction: it may run more than once) and hands its answer
// to `done`, on `executor`, exactly once, when the effect is durable. With a request_id:
//   the same key and body within kRequestRecordLifetime: the recorded answer, body does not run;
//   the same key, another body: INVALID_ARGUMENT (REQUEST_ID_REUSED, field request_id);
//   calls with one key at the same time: one effect, and all get its answer.
// An error of `body` is not recorded and leaves nothing. A request_id above kMaxRequestIdBytes is
// INVALID_ARGUMENT. The references must outlive the call of `done`. Blocks nothing.
void Mutate(Store& store, Executor& executor, Clock& clock, RequestKey key,
            absl::AnyInvocable<absl::StatusOr<std::string>(Transaction&)> body,
            Done<std::string> done);

// Mutate for a protobuf answer; without a request_id it is not serialized.
template <class Response>
void MutateProto(Store& store, Executor& executor, Clock& clock, RequestKey key,
                 absl::AnyInvocable<absl::StatusOr<Response>(Transaction&)> body,
                 Done<Response> done) {
  if (key.request_id.empty()) {
    auto answer = std::make_shared<Response>();  // Of the last run.
    return RunTransaction(
        store, executor,
        [answer, body = std::move(body)](Transaction& txn) mutable -> absl::Status {
          absl::StatusOr<Response> response = body(txn);
          if (!response.ok()) return response.status();
          *answer = *std::move(response);
          return absl::OkStatus();
        },
        [answer, done = std::move(done)](absl::Status status) mutable {
          if (!status.ok()) return std::move(done)(std::move(status));
          std::move(done)(std::move(*answer));
        });
  }
  Mutate(
      store, executor, clock, std::move(key),
      [body = std::move(body)](Transaction& txn) mutable -> absl::StatusOr<std::string> {
        absl::StatusOr<Response> response = body(txn);
        if (!response.ok()) return response.status();
        return response->SerializeAsString();
      },
      [done = std::move(done)](absl::StatusOr<std::string> bytes) mutable {
        if (!bytes.ok()) return std::move(done)(bytes.status());
        Response response;
        if (!response.ParseFromString(*bytes)) {
          return std::move(done)(absl::DataLossError("a recorded answer cannot be read"));
        }
        std::move(done)(std::move(response));
      });
}

}  // namespace assay::kv

#endif  // ASSAY_COMMON_KV_MUTATE_H_
