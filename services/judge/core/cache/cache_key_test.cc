#include "services/judge/core/cache/cache_key.h"

#include <functional>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace assay::judge {
namespace {

ModelRequest Question() {
  ModelRequest request;
  request.model_uri = "openai:/m";
  request.messages = {{ChatRole::kUser, "hi"}};
  request.parameters["temperature"] = 0;
  return request;
}

TEST(CacheKeyTest, EverythingThatChangesTheAnswerChangesTheKey) {
  const std::vector<std::function<void(ModelRequest&)>> changes = {
      [](ModelRequest&) {},
      [](ModelRequest& r) { r.messages[0].text = "ho"; },
      [](ModelRequest& r) { r.messages[0].role = ChatRole::kSystem; },
      [](ModelRequest& r) {
        r.messages.push_back({ChatRole::kAssistant, ""});
      },
      [](ModelRequest& r) { r.messages[0].tool_call_id = "1"; },
      [](ModelRequest& r) {
        r.messages[0].tool_calls = {{"1", "f", "{}"}};
      },
      [](ModelRequest& r) {
        r.messages[0].tool_calls = {{"1", "f", "{ }"}};
      },
      [](ModelRequest& r) { r.response_schema = "{}"; },
      [](ModelRequest& r) { r.schema_name = "verdict"; },
      [](ModelRequest& r) { r.parameters["temperature"] = 0.5; },
      [](ModelRequest& r) { r.parameters["seed"] = 0; },
      [](ModelRequest& r) { r.parameters.clear(); },
      [](ModelRequest& r) {
        r.tools = {{"f", "d", "{}"}};
      },
      [](ModelRequest& r) {
        r.tools = {{"fd", "", "{}"}};
      },
      [](ModelRequest& r) { r.token_probabilities = true; },
      [](ModelRequest& r) { r.sample = 1; },
  };
  std::set<std::string> keys;
  for (const auto& change : changes) {
    ModelRequest request = Question();
    change(request);
    keys.insert(CacheKey("server", request));
  }
  keys.insert(CacheKey("another server", Question()));
  EXPECT_EQ(keys.size(), changes.size() + 1);
  for (const std::string& key : keys) EXPECT_EQ(key.size(), 32u);
}

TEST(CacheKeyTest, WhoAsksDoesNotMatter) {
  ModelRequest other = Question();
  other.model_uri = "endpoints:/same";
  other.account = {"experiments/e", "judge"};
  other.idempotency_key = "x";
  other.fallback_models = {"a:/b"};
  EXPECT_EQ(CacheKey("server", Question()), CacheKey("server", other));
}

}  // namespace
}  // namespace assay::judge
