#include "common/rpc/answer_once.h"

#include "common/log/log.h"
#include "common/status/errors.h"

namespace assay::rpc::internal_answer_once {

absl::Status DroppedAnswer(const std::string& method) {
  log::Error("a handler dropped its answer", {{"method", method}});
  return MakeError(absl::StatusCode::kInternal, "ANSWER_DROPPED",
                   "the call ended without an answer");
}

void LogSecondAnswer(const std::string& method) {
  log::Error("a handler answered twice; the first answer stands", {{"method", method}});
}

}  // namespace assay::rpc::internal_answer_once
