// The arguments of a tool call, as a model wrote them.
#ifndef ASSAY_SERVICES_JUDGE_CORE_AGENT_TOOL_ARGUMENTS_H_
#define ASSAY_SERVICES_JUDGE_CORE_AGENT_TOOL_ARGUMENTS_H_

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/json/safe_json.h"

namespace assay::judge {

inline constexpr size_t kMaxToolArgumentBytes = 16 * 1024;

// Reads an object of arguments; remembers the first thing that is wrong, in words that tell the
// model how to do better. Absent and null mean the default. Not thread-safe.
class ToolArguments {
 public:
  // `text` may be no JSON at all; "" is an object without members.
  explicit ToolArguments(std::string_view text);

  std::string RequiredString(std::string_view name, size_t max_bytes);
  std::string String(std::string_view name, size_t max_bytes);  // "" by default.
  int64_t Integer(std::string_view name, int64_t otherwise, int64_t least, int64_t most);
  // At most 100, each at most 1,000 bytes.
  std::vector<std::string> Strings(std::string_view name);

  // The argument exists, though nobody reads it now.
  void Known(std::string_view name) { known_.emplace(name); }

  // After everything was read: "" if all is well, else what is wrong; unknown names are wrong too.
  std::string Finish();

 private:
  // Null if it is absent or null.
  const json::Node* Take(std::string_view name);
  void Fail(std::string_view name, std::string_view what);

  json::Node root_;
  std::set<std::string> known_;
  std::string error_;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_AGENT_TOOL_ARGUMENTS_H_
