// Variables of a judge's instructions, and blocks of a prompt whose content cannot close them.
#include <algorithm>
#include <map>
#include <string>

#include "common/judging/prompt_fence.h"
#include "common/judging/template_variables.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay::judging;
  const std::string text(assay::fuzz::AsText(data, size));
  const std::map<std::string, std::string> named = {{"mine", "outputs.a[0]"}, {"x", "inputs"}};
  const auto variables = ParseTemplateVariables(text, "instructions", named);
  if (variables.ok()) {
    FUZZ_CHECK(!variables->empty() && variables->size() <= kMaxTemplateVariables);
    for (const TemplateVariable& variable : *variables) {
      FUZZ_CHECK(std::count(variables->begin(), variables->end(), variable) == 1);
      FUZZ_CHECK(text.find(variable.name) != text.npos);
      // A variable stands for itself wherever it is written.
      const auto again = ParseTemplateVariables("{{" + variable.name + "}}", "again", named);
      FUZZ_CHECK(again.ok() && again->size() == 1 && again->front() == variable);
    }
  } else {
    FUZZ_CHECK(variables.status().code() == absl::StatusCode::kInvalidArgument);
  }
  ReadBlocks(text);
  assay::fuzz::Input input(data, size);
  const std::string name(input.Text());
  const std::string content(input.Rest());
  const BlockText blocks = ReadBlocks("before\n" + FencedBlock(name, content) + "after");
  FUZZ_CHECK(blocks.blocks.size() == 1);
  FUZZ_CHECK(blocks.blocks[0].content == content);
  return 0;
}
