// The steps of a judgement that reads a trace with tools, without any I/O: offer the tools, run
// those that the model calls, go on until it answers.
#ifndef ASSAY_SERVICES_JUDGE_CORE_AGENT_AGENT_MACHINE_H_
#define ASSAY_SERVICES_JUDGE_CORE_AGENT_AGENT_MACHINE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "services/judge/core/agent/trace_tools.h"
#include "services/judge/core/judge_plan.h"
#include "services/judge/core/judge_tally.h"
#include "services/judge/core/judging.h"
#include "services/judge/core/verdict.h"

namespace assay::judge {

inline constexpr int kDefaultToolRounds = 30;

struct AgentPlan {
  JudgePlan judge;  // Its prompt does not show the trace.
  std::shared_ptr<const TraceTools> tools;
  int max_rounds = kDefaultToolRounds;
  int64_t max_input_tokens = 100'000;  // What the model takes; older rounds are dropped before.
  bool schema_with_tools = false;      // Whether the model takes tools and a schema at once.
  std::map<std::string, std::string> metadata;  // Of the verdict.
};

// Codes of ERROR feedbacks beyond those of models: TOOL_LIMIT_EXCEEDED after max_rounds rounds, or
// when the model only repeats itself.
class AgentMachine final : public Judging {
 public:
  explicit AgentMachine(AgentPlan plan);

  JudgeStep Next(JudgeEvent event) override;

 private:
  // What a model asked for in one answer, and what it got.
  struct Round {
    ChatMessage question;
    std::vector<ChatMessage> results;
    std::set<std::string> calls;  // Name and arguments of each.
    size_t bytes = 0;
  };
  // The second question after an answer that cannot be used.
  struct Repair {
    std::string answer;
    AnswerViolation violation;
  };

  JudgeStep Ask();
  JudgeStep OnAnswer(ModelResponse response);
  JudgeStep OnToolCalls(ModelResponse response);
  JudgeStep OnError(const absl::Status& error);
  JudgeFinished Finish(common::v1::Feedback feedback);
  JudgeFinished Fail(std::string_view code, std::string_view message, std::string_view answer = "");

  std::string RunCall(const ModelToolCall& call, size_t bytes_so_far, Round* round) const;
  bool WasAnswered(const std::string& key) const;
  ModelRequest Request() const;
  void AppendFlattened(std::vector<ChatMessage>* messages) const;
  size_t PromptBytes() const;
  double BytesPerToken() const;
  void PruneToBudget();

  AgentPlan plan_;
  JudgeTally tally_;
  std::deque<Round> rounds_;  // Those not dropped; the newest is last.
  std::optional<Repair> repair_;
  int rounds_used_ = 0;
  int rounds_dropped_ = 0;
  int repeating_rounds_ = 0;  // In a row, in which every call had been answered before.
  int questions_ = 0;
  int calls_made_ = 0;
  std::string call_log_;
  size_t asked_bytes_ = 0;      // Of the last question.
  double bytes_per_token_ = 0;  // As the model counted; 0 before its first answer.
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_AGENT_AGENT_MACHINE_H_
