#include "services/trace/store/chunk_codec.h"

#include <lz4.h>
#include <zstd.h>

#include <limits>
#include <memory>

#include "common/otlp/wire_cursor.h"
#include "common/status/status_macros.h"
#include "services/trace/store/ai_chunk_dictionary.h"
#include "services/trace/store/chunk_dictionary.h"

namespace assay::trace {
namespace {

// Below this, nothing is saved.
constexpr size_t kMinCompressed = 128;
constexpr int kZstdLevel = 3;

// Of chunks that are packed later: a few percent smaller for twice the time.
constexpr int kLaterZstdLevel = 5;

// Each made when it is first needed, never destroyed.
template <const std::string_view& kDictionary, int kLevel>
const ZSTD_CDict* Packing() {
  static const ZSTD_CDict* const dictionary =
      ZSTD_createCDict(kDictionary.data(), kDictionary.size(), kLevel);
  return dictionary;
}
template <const std::string_view& kDictionary>
const ZSTD_DDict* Unpacking() {
  static const ZSTD_DDict* const dictionary =
      ZSTD_createDDict(kDictionary.data(), kDictionary.size());
  return dictionary;
}

// Null for codecs without a dictionary.
const ZSTD_CDict* PackWith(ChunkCodec codec) {
  if (codec == ChunkCodec::kZstdSpans) return Packing<kSpanDictionary, kZstdLevel>();
  if (codec == ChunkCodec::kZstdAiSpans) return Packing<kAiSpanDictionary, kZstdLevel>();
  return nullptr;
}

void AppendVarint(uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>((value & 0x7F) | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

// A SpanChunkRecord up to where its content begins, written by hand so that the content is copied
// once.
void AppendHead(ChunkCodec codec, size_t size, size_t stored_size, std::string* out) {
  out->append("\x08\x02", 2);
  if (codec != ChunkCodec::kNone) {
    out->push_back('\x18');
    out->push_back(static_cast<char>(codec));
    out->push_back('\x20');
    AppendVarint(size, out);
  }
  otlp::AppendBytesHeader(5, stored_size, out);
}

std::string Plain(std::string_view otlp) {
  std::string out;
  out.reserve(otlp.size() + 16);
  AppendHead(ChunkCodec::kNone, otlp.size(), otlp.size(), &out);
  return out.append(otlp);
}

// The size of what was compressed, or 0.
size_t Compress(std::string_view otlp, ChunkCodec codec, const ZSTD_CDict* dictionary,
                std::string* out) {
  if (codec == ChunkCodec::kLz4) {
    if (otlp.size() > LZ4_MAX_INPUT_SIZE) return 0;
    out->resize(static_cast<size_t>(LZ4_compressBound(static_cast<int>(otlp.size()))));
    return static_cast<size_t>(LZ4_compress_default(
        otlp.data(), out->data(), static_cast<int>(otlp.size()), static_cast<int>(out->size())));
  }
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_CCtx, Free> context(ZSTD_createCCtx());
  if (context == nullptr) return 0;
  out->resize(ZSTD_compressBound(otlp.size()));
  const size_t size = dictionary != nullptr
                          ? ZSTD_compress_usingCDict(context.get(), out->data(), out->size(),
                                                     otlp.data(), otlp.size(), dictionary)
                          : ZSTD_compressCCtx(context.get(), out->data(), out->size(), otlp.data(),
                                              otlp.size(), kZstdLevel);
  return ZSTD_isError(size) != 0 ? 0 : size;
}

absl::Status Broken() { return absl::DataLossError("a stored chunk of spans cannot be read"); }

// Of a SpanChunkRecord.
struct Fields {
  uint64_t version = 0;
  std::string_view plain;
  uint64_t codec = 0;
  uint64_t size = 0;
  std::string_view content;
};

absl::StatusOr<Fields> ReadFields(std::string_view record) {
  Fields fields;
  otlp::WireCursor cursor(record);
  otlp::WireField field;
  while (cursor.Next(&field)) {
    if (field.number == 1) fields.version = field.value;
    if (field.IsBytes(2)) fields.plain = field.bytes;
    if (field.number == 3) fields.codec = field.value;
    if (field.number == 4) fields.size = field.value;
    if (field.IsBytes(5)) fields.content = field.bytes;
  }
  if (!cursor.ok()) return Broken();
  return fields;
}

// Made once for each thread: a context is large.
ZSTD_DCtx* DecompressionContext() {
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  thread_local const std::unique_ptr<ZSTD_DCtx, Free> context(ZSTD_createDCtx());
  return context.get();
}

std::string Encode(std::string_view otlp, ChunkCodec codec, const ZSTD_CDict* dictionary) {
  if (codec == ChunkCodec::kNone || otlp.size() < kMinCompressed) return Plain(otlp);
  thread_local std::string buffer;
  const size_t size = Compress(otlp, codec, dictionary, &buffer);
  std::string out;
  if (size == 0 || size >= otlp.size()) {
    out = Plain(otlp);
  } else {
    out.reserve(size + 24);
    AppendHead(codec, otlp.size(), size, &out);
    out.append(buffer, 0, size);
  }
  constexpr size_t kMostKept = size_t{1} << 20;
  if (buffer.capacity() > kMostKept) std::string().swap(buffer);
  return out;
}

}  // namespace

std::string EncodeChunk(std::string_view otlp, ChunkCodec codec) {
  return Encode(otlp, codec, PackWith(codec));
}

absl::StatusOr<std::optional<std::string>> PackAgain(std::string_view record) {
  ASSAY_ASSIGN_OR_RETURN(const Fields fields, ReadFields(record));
  if (fields.codec != static_cast<uint64_t>(ChunkCodec::kLz4)) return std::nullopt;
  std::string scratch;
  ASSAY_ASSIGN_OR_RETURN(const std::string_view otlp, DecodeChunk(record, &scratch));
  std::string packed =
      Encode(otlp, ChunkCodec::kZstdAiSpans, Packing<kAiSpanDictionary, kLaterZstdLevel>());
  if (packed.size() >= record.size()) return std::nullopt;
  return packed;
}

absl::StatusOr<std::string_view> DecodeChunk(std::string_view record, std::string* scratch) {
  ASSAY_ASSIGN_OR_RETURN(const Fields fields, ReadFields(record));
  const auto& [version, plain, codec, size, content] = fields;
  if (version == 1) return plain;
  if (codec == static_cast<uint64_t>(ChunkCodec::kNone)) return content;
  if (size > kMaxChunkBytes || content.size() > kMaxChunkBytes) return Broken();
  scratch->resize(size);
  if (codec == static_cast<uint64_t>(ChunkCodec::kLz4)) {
    const int unfolded =
        LZ4_decompress_safe(content.data(), scratch->data(), static_cast<int>(content.size()),
                            static_cast<int>(scratch->size()));
    if (unfolded < 0 || static_cast<uint64_t>(unfolded) != size) return Broken();
  } else if (codec == static_cast<uint64_t>(ChunkCodec::kZstd)) {
    const size_t unfolded = ZSTD_decompressDCtx(DecompressionContext(), scratch->data(),
                                                scratch->size(), content.data(), content.size());
    if (ZSTD_isError(unfolded) != 0 || unfolded != size) return Broken();
  } else if (codec <= static_cast<uint64_t>(ChunkCodec::kZstdAiSpans)) {
    const size_t unfolded = ZSTD_decompress_usingDDict(
        DecompressionContext(), scratch->data(), scratch->size(), content.data(), content.size(),
        codec == static_cast<uint64_t>(ChunkCodec::kZstdSpans) ? Unpacking<kSpanDictionary>()
                                                               : Unpacking<kAiSpanDictionary>());
    if (ZSTD_isError(unfolded) != 0 || unfolded != size) return Broken();
  } else {
    return Broken();
  }
  return *scratch;
}

}  // namespace assay::trace
