#include "common/json/safe_json.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "common/status/status_macros.h"

namespace assay::json {
namespace {

// Builds the tree from the reader's events. A container's children are kept in its frame until it
// ends.
class TreeBuilder final : public JsonHandler {
 public:
  absl::Status OnNull() override { return Add({}); }
  absl::Status OnBool(bool value) override {
    return Add({.kind = Node::Kind::kBool, .boolean = value});
  }
  absl::Status OnNumber(std::string_view token) override {
    return Add({.kind = Node::Kind::kNumber, .text = std::string(token)});
  }
  absl::Status OnString(std::string value) override {
    return Add({.kind = Node::Kind::kString, .text = std::move(value)});
  }
  absl::Status OnStartObject() override { return Open(Node::Kind::kObject); }
  absl::Status OnStartArray() override { return Open(Node::Kind::kArray); }
  absl::Status OnEndObject() override { return Close(); }
  absl::Status OnEndArray() override { return Close(); }
  absl::Status OnKey(std::string key) override {
    key_ = std::move(key);
    return absl::OkStatus();
  }

  Node TakeRoot() { return std::move(root_); }

 private:
  absl::Status Add(Node node) {
    node.key = std::exchange(key_, {});
    if (open_.empty()) {
      root_ = std::move(node);
    } else {
      open_.back().children.push_back(std::move(node));
    }
    return absl::OkStatus();
  }
  absl::Status Open(Node::Kind kind) {
    open_.push_back({.kind = kind, .key = std::exchange(key_, {})});
    return absl::OkStatus();
  }
  absl::Status Close() {
    Node node = std::move(open_.back());
    open_.pop_back();
    key_ = std::exchange(node.key, {});
    return Add(std::move(node));
  }

  Node root_;
  std::string key_;
  std::vector<Node> open_;
};

// Writes the reader's events again, one value or key a line.
class PrettyPrinter final : public JsonHandler {
 public:
  explicit PrettyPrinter(std::string* out) : out_(*out) {}

  absl::Status OnNull() override { return Write("null"); }
  absl::Status OnBool(bool value) override { return Write(value ? "true" : "false"); }
  absl::Status OnNumber(std::string_view token) override { return Write(token); }
  absl::Status OnString(std::string value) override { return Write(JsonString(value)); }
  absl::Status OnStartObject() override { return Open("{"); }
  absl::Status OnStartArray() override { return Open("["); }
  absl::Status OnEndObject() override { return Close("}"); }
  absl::Status OnEndArray() override { return Close("]"); }
  absl::Status OnKey(std::string key) override {
    BeginItem();
    AppendJsonString(key, &out_);
    out_ += ": ";
    after_key_ = true;
    return absl::OkStatus();
  }

 private:
  void BeginItem() {
    if (std::exchange(after_key_, false) || depth_ == 0) return;
    if (!first_) out_ += ',';
    NewLine();
    first_ = false;
  }
  void NewLine() {
    out_ += '\n';
    out_.append(2 * static_cast<size_t>(depth_), ' ');
  }
  absl::Status Write(std::string_view text) {
    BeginItem();
    out_ += text;
    return absl::OkStatus();
  }
  absl::Status Open(std::string_view bracket) {
    BeginItem();
    out_ += bracket;
    ++depth_;
    first_ = true;
    return absl::OkStatus();
  }
  absl::Status Close(std::string_view bracket) {
    --depth_;
    if (!std::exchange(first_, false)) NewLine();
    out_ += bracket;
    return absl::OkStatus();
  }

  std::string& out_;
  int depth_ = 0;
  bool first_ = true;  // Nothing was written yet in the innermost container.
  bool after_key_ = false;
};

void AppendJson(const Node& node, std::string* out) {
  switch (node.kind) {
    case Node::Kind::kNull:
      *out += "null";
      return;
    case Node::Kind::kBool:
      *out += node.boolean ? "true" : "false";
      return;
    case Node::Kind::kNumber:
      *out += node.text;
      return;
    case Node::Kind::kString:
      return AppendJsonString(node.text, out);
    case Node::Kind::kArray:
    case Node::Kind::kObject:
      break;
  }
  *out += node.is_object() ? '{' : '[';
  bool first = true;
  for (const Node& child : node.children) {
    if (!std::exchange(first, false)) *out += ',';
    if (node.is_object()) {
      AppendJsonString(child.key, out);
      *out += ':';
    }
    AppendJson(child, out);
  }
  *out += node.is_object() ? '}' : ']';
}

}  // namespace

const Node* Node::Find(std::string_view member) const {
  if (!is_object()) return nullptr;
  for (const Node& child : children) {
    if (child.key == member) return &child;
  }
  return nullptr;
}

std::optional<int64_t> Node::AsInt64() const {
  if (!is_number()) return std::nullopt;
  int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc() && rest == end) return value;
  // 1e3 and 5.0 are whole numbers, too; doubles hold those below 2^53 exactly.
  const std::optional<double> number = AsDouble();
  constexpr double kExact = 9007199254740992.0;
  if (!number || *number != std::trunc(*number) || std::fabs(*number) >= kExact) {
    return std::nullopt;
  }
  return static_cast<int64_t>(*number);
}

std::optional<double> Node::AsDouble() const {
  if (!is_number()) return std::nullopt;
  double value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc()) return value;
  // Out of range: too large, or so small that it is zero.
  const size_t exponent = text.find_first_of("eE");
  if (exponent != text.npos && exponent + 1 < text.size() && text[exponent + 1] == '-') return 0.0;
  return std::nullopt;
}

std::optional<bool> Node::AsBool() const {
  return is_bool() ? std::optional(boolean) : std::nullopt;
}

std::optional<std::string_view> Node::AsString() const {
  return is_string() ? std::optional<std::string_view>(text) : std::nullopt;
}

std::string Node::ToJson() const {
  std::string out;
  AppendJson(*this, &out);
  return out;
}

absl::StatusOr<Node> ParseJson(std::string_view text, const ParseLimits& limits) {
  TreeBuilder builder;
  ASSAY_RETURN_IF_ERROR(ReadJson(text, builder, limits));
  return builder.TakeRoot();
}

absl::StatusOr<std::string> PrettyJson(std::string_view json_text) {
  std::string out;
  PrettyPrinter printer(&out);
  ASSAY_RETURN_IF_ERROR(ReadJson(json_text, printer));
  return out;
}

}  // namespace assay::json
