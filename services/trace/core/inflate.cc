#include "services/trace/core/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::trace {
namespace {

constexpr size_t kStep = size_t{64} << 10;

absl::Status Broken(std::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, "MALFORMED_COMPRESSION",
                   StrCat("the compressed body cannot be read: ", what));
}

// Ends zlib's state on every path.
class Stream {
 public:
  Stream(std::string_view input, Encoding encoding) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(input.size());
    const int window = encoding == Encoding::kGzip ? 15 + 16 : 15;
    ok_ = inflateInit2(&stream_, window) == Z_OK;
  }
  ~Stream() {
    if (ok_) inflateEnd(&stream_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  bool ok() const { return ok_; }
  z_stream& z() { return stream_; }

 private:
  z_stream stream_ = {};
  bool ok_ = false;
};

}  // namespace

absl::Status MessageTooLarge(int64_t max_bytes) {
  return MakeError(absl::StatusCode::kResourceExhausted, "MESSAGE_TOO_LARGE",
                   StrCat("the body is larger than ", max_bytes,
                          " bytes after decompression; send smaller batches"),
                   {{"max_bytes", StrCat(max_bytes)}});
}

absl::StatusOr<std::string> Inflate(std::string_view compressed, Encoding encoding,
                                    int64_t max_bytes, GrowCheck grow) {
  if (encoding == Encoding::kIdentity) return absl::InternalError("the body is not compressed");
  if (static_cast<int64_t>(compressed.size()) > max_bytes) return MessageTooLarge(max_bytes);
  Stream stream(compressed, encoding);
  if (!stream.ok()) return absl::InternalError("zlib cannot start");
  std::string out;
  size_t used = 0;
  while (true) {
    if (used == out.size()) {
      // One byte above the bound shows that there is more.
      const auto room = static_cast<size_t>(max_bytes) + 1 - used;
      if (room == 0) return MessageTooLarge(max_bytes);
      const size_t step = std::min(std::max(kStep, used), room);
      ASSAY_RETURN_IF_ERROR(grow(static_cast<int64_t>(step)));
      out.resize(used + step);
    }
    stream.z().next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.z().avail_out = static_cast<uInt>(out.size() - used);
    const int result = inflate(&stream.z(), Z_NO_FLUSH);
    const size_t produced = out.size() - used - stream.z().avail_out;
    used += produced;
    if (used > static_cast<size_t>(max_bytes)) return MessageTooLarge(max_bytes);
    if (result == Z_STREAM_END) {
      if (stream.z().avail_in == 0) break;
      if (encoding != Encoding::kGzip) return Broken("bytes follow its end");
      if (inflateReset(&stream.z()) != Z_OK) return Broken("bytes follow its end");
    } else if (result == Z_BUF_ERROR || result == Z_OK) {
      if (stream.z().avail_out == 0) continue;
      if (stream.z().avail_in == 0) return Broken("it is cut short");
      if (produced == 0 && result == Z_BUF_ERROR) return Broken("it makes no progress");
    } else {
      return Broken(stream.z().msg == nullptr ? "bad data" : stream.z().msg);
    }
  }
  out.resize(used);
  return out;
}

}  // namespace assay::trace
