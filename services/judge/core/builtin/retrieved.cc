#include "services/judge/core/builtin/retrieved.h"

#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "common/json/json_value.h"
#include "common/json/safe_json.h"
#include "common/json/utf8.h"
#include "common/judging/prompt_fence.h"
#include "common/strings/strings.h"
#include "services/judge/core/builtin/material.h"

namespace assay::judge {

namespace {

using json::Node;
using trace::v1::Span;
using trace::v1::Trace;

constexpr std::string_view kRetriever = "RETRIEVER";

bool HasRetrieverAbove(const Span& span, const std::map<std::string_view, const Span*>& by_id) {
  const Span* at = &span;
  // As many steps as there are spans: parents may form a cycle.
  for (size_t step = 0; step < by_id.size(); ++step) {
    const auto parent = by_id.find(at->parent_span_id());
    if (at->parent_span_id().empty() || parent == by_id.end() || parent->second == &span) break;
    at = parent->second;
    if (at->span_type() == kRetriever) return true;
  }
  return false;
}

std::string TextAt(const Node* node) {
  if (node == nullptr || node->is_null()) return "";
  return node->is_string() ? node->text : node->ToJson();
}

std::string UriOf(const Node* metadata) {
  return metadata == nullptr ? "" : TextAt(metadata->Find("doc_uri"));
}

std::optional<Node> ParseValue(bool present, const common::v1::JsonValue& value) {
  if (!present) return std::nullopt;
  const absl::StatusOr<std::string> text = json::JsonText(value, "value");
  if (!text.ok()) return std::nullopt;
  absl::StatusOr<Node> node = json::ParseJson(*text);
  if (!node.ok()) return std::nullopt;
  return *std::move(node);
}

std::optional<RetrievedChunk> ChunkOf(const Node& node) {
  if (node.is_string()) return RetrievedChunk{"", node.text};
  if (!node.is_object()) return std::nullopt;
  for (const char* key : {"page_content", "content", "text"}) {
    if (const Node* content = node.Find(key); content != nullptr) {
      RetrievedChunk chunk{UriOf(node.Find("metadata")), TextAt(content)};
      if (chunk.uri.empty()) chunk.uri = TextAt(node.Find("id"));
      return chunk;
    }
  }
  return std::nullopt;
}

std::vector<RetrievedChunk> ChunksOf(const Span& span) {
  std::vector<RetrievedChunk> chunks;
  for (const common::v1::Document& document : span.documents()) {
    const auto metadata = ParseValue(document.has_metadata(), document.metadata());
    std::string uri = UriOf(metadata.has_value() ? &*metadata : nullptr);
    chunks.push_back({uri.empty() ? document.id() : std::move(uri), document.content()});
  }
  if (!chunks.empty()) return chunks;
  const std::optional<Node> outputs = ParseValue(span.has_outputs(), span.outputs());
  if (!outputs.has_value() || !outputs->is_array()) return chunks;
  for (const Node& child : outputs->children) {
    if (auto chunk = ChunkOf(child)) chunks.push_back(*std::move(chunk));
  }
  return chunks;
}

std::string DocumentJson(const RetrievedChunk& chunk) {
  std::string content(json::TruncateUtf8Bytes(chunk.content, kMaxDocumentBytes));
  if (content.size() < chunk.content.size()) {
    StrAppend(&content, " (", chunk.content.size() - content.size(), " more bytes are left out)");
  }
  return StrCat("{",
                chunk.uri.empty() ? "" : StrCat("\"doc_uri\":", json::JsonString(chunk.uri), ","),
                "\"content\":", json::JsonString(content), "}");
}

}  // namespace

std::vector<RetrieverSpan> TopLevelRetrievers(const Trace& trace) {
  std::map<std::string_view, const Span*> by_id;
  for (const Span& span : trace.spans()) by_id.emplace(span.span_id(), &span);
  std::vector<RetrieverSpan> retrievers;
  for (const Span& span : trace.spans()) {
    if (span.span_type() != kRetriever || HasRetrieverAbove(span, by_id)) continue;
    retrievers.push_back({span.span_id(), span.span_name(), ChunksOf(span)});
  }
  return retrievers;
}

std::string DocumentBlock(const RetrievedChunk& chunk) {
  return JsonBlock("document", DocumentJson(chunk));
}

std::string DocumentsBlock(absl::Span<const RetrieverSpan> spans) {
  std::string list = "[";
  size_t left_out = 0;
  for (const RetrieverSpan& span : spans) {
    for (const RetrievedChunk& chunk : span.chunks) {
      const std::string document = DocumentJson(chunk);
      if (list.size() + document.size() > kMaxDocumentsBytes) {
        ++left_out;
      } else {
        StrAppend(&list, list.size() > 1 ? "," : "", document);
      }
    }
  }
  if (left_out > 0) {
    StrAppend(&list, list.size() > 1 ? "," : "",
              json::JsonString(StrCat("(", left_out, " more documents are left out)")));
  }
  return JsonBlock("retrieved_documents", list + "]");
}

}  // namespace assay::judge
