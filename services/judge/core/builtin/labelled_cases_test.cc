// Every line of testdata/*.jsonl against the judge that its file is named after.
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include "common/json/safe_json.h"
#include "common/judging/builtin_definition.h"
#include "common/strings/strings.h"
#include "gtest/gtest.h"
#include "services/judge/core/builtin/case_runner.h"

namespace assay::judge {
namespace {

constexpr int kLeastCases = 30;

class LabelledCasesTest : public testing::TestWithParam<std::string> {};

TEST_P(LabelledCasesTest, ComeOutAsLabelled) {
  std::ifstream file(StrCat("services/judge/core/builtin/testdata/", GetParam(), ".jsonl"));
  ASSERT_TRUE(file.good());
  std::set<std::string> names;
  std::string line;
  while (std::getline(file, line)) {
    const absl::StatusOr<json::Node> labelled = json::ParseJson(line);
    ASSERT_TRUE(labelled.ok()) << labelled.status() << "\n" << line;
    ASSERT_NE(labelled->Find("name"), nullptr) << line;
    const std::string& name = labelled->Find("name")->text;
    EXPECT_TRUE(names.insert(name).second) << "twice: " << name;
    EXPECT_EQ(ReplayCase(GetParam(), *labelled), "") << name;
  }
  EXPECT_GE(static_cast<int>(names.size()), kLeastCases);
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const judging::BuiltinTraits& builtin : judging::BuiltinJudges()) {
    names.emplace_back(builtin.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Builtins, LabelledCasesTest, testing::ValuesIn(Names()),
                         [](const testing::TestParamInfo<std::string>& info) {
                           return info.param;
                         });

}  // namespace
}  // namespace assay::judge
