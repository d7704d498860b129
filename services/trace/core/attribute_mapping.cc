#include "services/trace/core/attribute_mapping.h"

#include <array>
#include <cstdint>
#include <iterator>

#include "common/json/utf8.h"
#include "services/trace/core/attribute_json.h"
#include "services/trace/core/otlp_wire_reader.h"

namespace assay::trace {
namespace {

enum class Meaning : uint8_t { kInputs, kOutputs, kSession, kUser };
constexpr size_t kMeanings = 4;

struct Mapping {
  Meaning meaning;
  std::string_view key;
};

// The earlier line wins.
constexpr Mapping kMappings[] = {
    {Meaning::kInputs, "assay.inputs"},   {Meaning::kInputs, "mlflow.spanInputs"},
    {Meaning::kInputs, "input.value"},    {Meaning::kInputs, "gen_ai.input.messages"},
    {Meaning::kOutputs, "assay.outputs"}, {Meaning::kOutputs, "mlflow.spanOutputs"},
    {Meaning::kOutputs, "output.value"},  {Meaning::kOutputs, "gen_ai.output.messages"},
    {Meaning::kSession, "session.id"},    {Meaning::kUser, "user.id"},
};

// The winning AnyValue of each meaning.
struct Winner {
  size_t line = std::size(kMappings);
  std::string_view value;
  bool found() const { return line < std::size(kMappings); }
};

std::array<Winner, kMeanings> FindWinners(std::string_view span) {
  std::array<Winner, kMeanings> winners;
  ForEachSpanAttribute(span, [&](std::string_view key, std::string_view value) {
    for (size_t line = 0; line < std::size(kMappings); ++line) {
      if (kMappings[line].key != key) continue;
      Winner& winner = winners[static_cast<size_t>(kMappings[line].meaning)];
      // An empty AnyValue says nothing; of one key twice, the last counts.
      if (line <= winner.line && !value.empty()) winner = {line, value};
    }
    return true;
  });
  return winners;
}

std::string Text(const Winner& winner) {
  if (!winner.found()) return "";
  std::string_view text;
  std::string other;
  if (!AnyValueString(winner.value, &text)) {
    AppendAnyValueJson(winner.value, &other);
    text = other;
  }
  return std::string(json::TruncateUtf8(text, kMaxIdentityChars));
}

}  // namespace

Payloads PayloadsOf(std::string_view span) {
  const std::array<Winner, kMeanings> winners = FindWinners(span);
  const Winner& inputs = winners[static_cast<size_t>(Meaning::kInputs)];
  const Winner& outputs = winners[static_cast<size_t>(Meaning::kOutputs)];
  Payloads payloads;
  if (inputs.found()) payloads.inputs = PayloadJson(inputs.value);
  if (outputs.found()) payloads.outputs = PayloadJson(outputs.value);
  return payloads;
}

Identity IdentityOf(std::string_view span) {
  const std::array<Winner, kMeanings> winners = FindWinners(span);
  return {.session = Text(winners[static_cast<size_t>(Meaning::kSession)]),
          .user = Text(winners[static_cast<size_t>(Meaning::kUser)])};
}

}  // namespace assay::trace
