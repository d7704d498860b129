// What a trace's searches returned.
#ifndef ASSAY_SERVICES_JUDGE_CORE_BUILTIN_RETRIEVED_H_
#define ASSAY_SERVICES_JUDGE_CORE_BUILTIN_RETRIEVED_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "assay/trace/v1/trace.pb.h"

namespace assay::judge {

inline constexpr size_t kMaxDocumentBytes = 16'000;    // Of one document in a prompt.
inline constexpr size_t kMaxDocumentsBytes = 200'000;  // Of all documents of a prompt.

struct RetrievedChunk {
  std::string uri;      // `doc_uri` of its metadata, else its id; may be "".
  std::string content;  // Plain text.
};

struct RetrieverSpan {
  std::string span_id;
  std::string name;
  std::vector<RetrievedChunk> chunks;
};

// The spans of type RETRIEVER without another one above them, in the trace's order. Chunks are the
// span's documents; where it has none, its outputs are read: a list of texts, or of objects with
// `page_content`, `content` or `text`. Thread-safe, as all here.
std::vector<RetrieverSpan> TopLevelRetrievers(const trace::v1::Trace& trace);

// One chunk as the block `document`: {"doc_uri", "content"}.
std::string DocumentBlock(const RetrievedChunk& chunk);

// The block `retrieved_documents`: a list of them, cut at kMaxDocumentsBytes with a note that says
// how many are left out.
std::string DocumentsBlock(absl::Span<const RetrieverSpan> spans);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_BUILTIN_RETRIEVED_H_
