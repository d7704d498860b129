// How the spans of a chunk stand in a SpanChunkRecord: compressed once, when they arrive, so that
// log, memory and files all carry less.
#ifndef ASSAY_SERVICES_TRACE_STORE_CHUNK_CODEC_H_
#define ASSAY_SERVICES_TRACE_STORE_CHUNK_CODEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace assay::trace {

// SpanChunkRecord::codec.
enum class ChunkCodec : uint8_t {
  kNone = 0,
  kLz4 = 1,
  kZstd = 2,
  kZstdSpans = 3,    // With the dictionary of chunk_dictionary.h: read, and written no more.
  kZstdAiSpans = 4,  // With the dictionary of ai_chunk_dictionary.h.
};

// No record unfolds to more than this: more than any request holds.
inline constexpr uint64_t kMaxChunkBytes = uint64_t{1} << 30;

// A SpanChunkRecord with these spans (TracesData). What does not become smaller stays as it is.
// Thread-safe, as all here.
std::string EncodeChunk(std::string_view otlp, ChunkCodec codec);

// A record packed for speed (LZ4), packed for size instead; nullopt for others, and if that saves
// nothing. DATA_LOSS if it cannot be read.
absl::StatusOr<std::optional<std::string>> PackAgain(std::string_view record);

// The spans of a record of any schema version; they are either in `record` or in `scratch`.
// DATA_LOSS if they cannot be read.
absl::StatusOr<std::string_view> DecodeChunk(std::string_view record, std::string* scratch);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_STORE_CHUNK_CODEC_H_
