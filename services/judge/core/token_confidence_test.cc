#include "services/judge/core/token_confidence.h"

#include <string>
#include <vector>

#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace assay::judge {
namespace {

common::v1::ValueType Type(const char* text) {
  common::v1::ValueType type;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &type));
  return type;
}

const char kBool[] = "bool_type {}";
const char kOneToFive[] = "integer_type { minimum: 1 maximum: 5 }";
const char kQuality[] =
    R"(category_type { categories: "good" categories: "great" categories: "bad" })";

using Tokens = std::vector<TokenProbability>;

std::optional<double> Confidence(const char* type, const Tokens& tokens) {
  std::string answer;
  for (const TokenProbability& token : tokens) answer += token.token;
  return TokenConfidence(Type(type), answer, tokens);
}

TEST(ResultSpanTest, FindsTheValueWhereverItStands) {
  const struct {
    const char* answer;
    const char* value;
  } cases[] = {
      {R"({"result":true})", "true"},
      {R"({"rationale":"the \"result\": false, they say","result" : 4 })", "4"},
      {"```json\n{\"rationale\": \"r\",\n \"result\": \"good\"}\n```", R"("good")"},
      {R"({"other":{"result":1},"list":[{"x":"}"}],"result":2})", "2"},
      {R"(I {think}: {"result": [1, 2], "rationale": ""})", "[1, 2]"},
  };
  for (const auto& c : cases) {
    const auto span = ResultSpan(c.answer);
    ASSERT_TRUE(span.has_value()) << c.answer;
    EXPECT_EQ(std::string_view(c.answer).substr(span->first, span->second - span->first), c.value);
  }
}

TEST(ResultSpanTest, FindsNothingWhereThereIsNone) {
  for (const char* answer :
       {"", "no json", R"({"rationale":"x"})", R"({"result":)", R"({"result)"}) {
    EXPECT_FALSE(ResultSpan(answer).has_value()) << answer;
  }
}

TEST(TokenConfidenceTest, ComparesTheValuesOfTheType) {
  const Tokens tokens = {{"{\"result\":", 1, {}},
                         {" true", 0.6, {{" true", 0.6}, {" false", 0.2}, {" maybe", 0.2}}},
                         {"}", 1, {}}};
  EXPECT_NEAR(*Confidence(kBool, tokens), 0.75, 1e-9);
}

TEST(TokenConfidenceTest, CountsSharedTokensForNothing) {
  const Tokens tokens = {{"{\"result\": ", 1, {}},
                         {"\"", 0.5, {{"\"", 0.5}, {"'", 0.5}}},
                         {"g", 0.8, {{"g", 0.8}, {"b", 0.2}}},
                         {"ood", 0.5, {{"ood", 0.5}, {"reat", 0.25}, {"ibberish", 0.25}}},
                         {"\"}", 1, {{"\"}", 1}}}};
  EXPECT_NEAR(*Confidence(kQuality, tokens), 0.8 * 2 / 3, 1e-9);
}

TEST(TokenConfidenceTest, TakesATokenThatBeginsBeforeTheValue) {
  const Tokens tokens = {
      {"{\"result", 1, {}}, {"\":true", 0.9, {{"\":true", 0.9}, {"\":false", 0.1}}}, {"}", 1, {}}};
  EXPECT_NEAR(*Confidence(kBool, tokens), 0.9, 1e-9);
}

TEST(TokenConfidenceTest, SeesWhereANumberEnds) {
  const char any_integer[] = "integer_type {}";
  const Tokens tokens = {{"{\"result\":", 1, {}},
                         {"4", 0.9, {{"4", 0.9}, {"5", 0.1}}},
                         {"}", 0.75, {{"}", 0.75}, {"2", 0.25}}}};
  EXPECT_NEAR(*Confidence(any_integer, tokens), 0.9 * 0.75, 1e-9);
  EXPECT_NEAR(*Confidence(kOneToFive, tokens), 0.9, 1e-9) << "42 is no value of the type";
}

TEST(TokenConfidenceTest, MultipliesProbabilitiesWithoutAlternatives) {
  const Tokens tokens = {{"{\"result\": ", 0.9, {}},
                         {"\"", 0.5, {}},
                         {"g", 0.8, {}},
                         {"ood", 0.5, {}},
                         {"\"}", 0.9, {}}};
  EXPECT_NEAR(*Confidence(kQuality, tokens), 0.5 * 0.8 * 0.5, 1e-9);
}

TEST(TokenConfidenceTest, IgnoresCaseAsTheVerdictDoes) {
  const Tokens tokens = {
      {"{\"result\":", 1, {}},
      {"\"Good\"", 0.5, {{"\"Good\"", 0.5}, {"\"good\"", 0.25}, {"\"bad\"", 0.25}}},
      {"}", 1, {}}};
  EXPECT_NEAR(*Confidence(kQuality, tokens), 0.75, 1e-9);
}

TEST(TokenConfidenceTest, SaysNothingWithoutUsableTokens) {
  EXPECT_FALSE(TokenConfidence(Type(kBool), R"({"result":true})", {}).has_value());
  const Tokens others = {{"quite other text", 1, {}}};
  EXPECT_FALSE(TokenConfidence(Type(kBool), R"({"result":true})", others).has_value());
  const Tokens half = {{"{\"result\":", 1, {}}};
  EXPECT_FALSE(TokenConfidence(Type(kBool), R"({"result":true})", half).has_value());
}

}  // namespace
}  // namespace assay::judge
