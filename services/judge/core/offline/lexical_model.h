// `offline:/lexical`: a deterministic stand-in for a language model. It needs no network, knows
// nothing but the prompt, and decides by words alone: see docs/offline_model.md for what it can and
// cannot do.
#ifndef ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEXICAL_MODEL_H_
#define ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEXICAL_MODEL_H_

#include <string>
#include <string_view>

#include "common/exec/executor.h"
#include "services/judge/core/model_client.h"

namespace assay::judge::offline {

inline constexpr std::string_view kLexicalModelUri = "offline:/lexical";
inline constexpr std::string_view kLexicalModelName = "lexical-1";

// The answer to the prompt in `request`: a verdict for a judge's prompt, guidelines for a prompt
// with feedback records (a schema with `guidelines`, records with `trace` and `human_value`), else
// a sentence that says what it is. The same request always gives the same answer. Thread-safe.
std::string AnswerLexically(const ModelRequest& request);

// AnswerLexically as a model; tokens are estimated as four bytes each. Thread-safe.
class LexicalModel final : public ModelClient {
 public:
  // `executor` does the work, and outlives the model.
  explicit LexicalModel(Executor& executor) : executor_(executor) {}

  void Complete(ModelRequest request, CallContext context, Done<ModelResponse> done) override;

 private:
  Executor& executor_;
};

}  // namespace assay::judge::offline

#endif  // ASSAY_SERVICES_JUDGE_CORE_OFFLINE_LEXICAL_MODEL_H_
