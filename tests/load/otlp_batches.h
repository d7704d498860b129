// Export requests as applications with language models send them.
#ifndef ASSAY_TESTS_LOAD_OTLP_BATCHES_H_
#define ASSAY_TESTS_LOAD_OTLP_BATCHES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace assay::load {

inline constexpr int kSpansPerBatch = 100;
inline constexpr int kSpansPerTrace = 10;
inline constexpr int kAttributesPerSpan = 20;

// A few batches are built in advance. Each that is sent is a copy of one of them, with trace ids
// that no other has and with times of now: that costs the generator little. Thread-safe.
class OtlpBatches {
 public:
  OtlpBatches();
  // A serialized ExportTraceServiceRequest of about 100 KB: 10 whole traces of 10 spans.
  std::string Batch(uint64_t number) const;

 private:
  struct SpanPlace {  // Offsets into the bytes.
    size_t trace_id;
    size_t start;
    size_t end;
  };
  struct Template {
    std::string bytes;
    std::vector<SpanPlace> spans;
  };
  static Template Build(uint64_t seed);

  const uint64_t seed_;
  std::vector<Template> templates_;
};

}  // namespace assay::load

#endif  // ASSAY_TESTS_LOAD_OTLP_BATCHES_H_
