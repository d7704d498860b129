#include "services/trace/store/trace_keys.h"

#include <optional>

#include "common/rocks/ordered_code.h"

namespace assay::trace::keys {
namespace {

constexpr uint8_t kFormat = 0x01;
enum Kind : uint8_t {
  kChunk = 0x01,
  kBinding = 0x02,
  kFacts = 0x03,
  kTime = 0x04,
  kByName = 0x05,
  kAssessment = 0x06,
  kApplied = 0x07,
  kPending = 0x08,
  kKnown = 0x09,
  kEpoch = 0x0A,
  kRequest = 0x0B,
};

std::string Begin(Kind kind) {
  std::string key;
  rocks::AppendByte(kFormat, &key);
  rocks::AppendByte(kind, &key);
  return key;
}

std::string WithTrace(Kind kind, const TraceId& trace) {
  std::string key = Begin(kind);
  key.append(trace.bytes());
  return key;
}

std::string WithText(Kind kind, std::string_view text) {
  std::string key = Begin(kind);
  rocks::AppendString(text, &key);
  return key;
}

bool ConsumeBegin(std::string_view* in, Kind kind) {
  uint8_t format = 0;
  uint8_t found = 0;
  return rocks::ConsumeByte(in, &format) && format == kFormat && rocks::ConsumeByte(in, &found) &&
         found == kind;
}

bool ConsumeTrace(std::string_view* in, TraceId* trace) {
  std::string bytes;
  if (!rocks::ConsumeFixed(in, TraceId::kSize, &bytes)) return false;
  *trace = *TraceId::FromBytes(bytes);
  return true;
}

absl::Status Decoded(bool ok, std::string_view rest) {
  if (ok && rest.empty()) return absl::OkStatus();
  return absl::DataLossError("a key of the trace store cannot be read");
}

}  // namespace

std::string Chunk(const TraceId& trace, uint64_t sequence) {
  std::string key = ChunkPrefix(trace);
  rocks::AppendUint64(sequence, &key);
  return key;
}

std::string ChunkPrefix(const TraceId& trace) { return WithTrace(kChunk, trace); }

absl::Status DecodeChunk(std::string_view key, TraceId* trace, uint64_t* sequence) {
  const bool ok = ConsumeBegin(&key, kChunk) && ConsumeTrace(&key, trace) &&
                  rocks::ConsumeUint64(&key, sequence);
  return Decoded(ok, key);
}

std::string Binding(const TraceId& trace) { return WithTrace(kBinding, trace); }

std::string Facts(const TraceId& trace) { return WithTrace(kFacts, trace); }

bool IsFacts(std::string_view key) {
  TraceId trace;
  return ConsumeBegin(&key, kFacts) && ConsumeTrace(&key, &trace) && key.empty();
}

std::string Time(std::string_view experiment, const TracePosition& position) {
  std::string key = TimePrefix(experiment);
  rocks::AppendDescUint64(position.start_unix_nano, &key);
  key.append(position.trace.bytes());
  return key;
}

std::string TimePrefix(std::string_view experiment) { return WithText(kTime, experiment); }

absl::Status DecodeTime(std::string_view key, std::string* experiment, TracePosition* position) {
  const bool ok = ConsumeBegin(&key, kTime) && rocks::ConsumeString(&key, experiment) &&
                  rocks::ConsumeDescUint64(&key, &position->start_unix_nano) &&
                  ConsumeTrace(&key, &position->trace);
  return Decoded(ok, key);
}

std::string ByName(const AssessmentIndex& index, const TraceId& trace, std::string_view resource) {
  std::string key = ByNameTracePrefix(index, trace);
  rocks::AppendString(resource, &key);
  return key;
}

std::string ByNamePrefix(const AssessmentIndex& index) {
  std::string key = WithText(kByName, index.experiment);
  rocks::AppendByte(index.expectation ? 1 : 0, &key);
  rocks::AppendString(index.assessment_name, &key);
  return key;
}

std::string ByNameTracePrefix(const AssessmentIndex& index, const TraceId& trace) {
  std::string key = ByNamePrefix(index);
  key.append(trace.bytes());
  return key;
}

absl::Status DecodeByName(std::string_view key, AssessmentIndex* index, TraceId* trace,
                          std::string* resource) {
  uint8_t expectation = 0;
  const bool ok = ConsumeBegin(&key, kByName) && rocks::ConsumeString(&key, &index->experiment) &&
                  rocks::ConsumeByte(&key, &expectation) && expectation <= 1 &&
                  rocks::ConsumeString(&key, &index->assessment_name) &&
                  ConsumeTrace(&key, trace) && rocks::ConsumeString(&key, resource);
  index->expectation = expectation == 1;
  return Decoded(ok, key);
}

std::string Assessment(const TraceId& trace, std::string_view resource) {
  std::string key = AssessmentPrefix(trace);
  rocks::AppendString(resource, &key);
  return key;
}

std::string AssessmentPrefix(const TraceId& trace) { return WithTrace(kAssessment, trace); }

absl::Status DecodeAssessment(std::string_view key, TraceId* trace, std::string* resource) {
  const bool ok = ConsumeBegin(&key, kAssessment) && ConsumeTrace(&key, trace) &&
                  rocks::ConsumeString(&key, resource);
  return Decoded(ok, key);
}

std::string Applied(std::string_view feedback_store) { return WithText(kApplied, feedback_store); }

std::string Pending(std::string_view experiment) { return WithText(kPending, experiment); }

std::string PendingPrefix() { return Begin(kPending); }

absl::Status DecodePending(std::string_view key, std::string* experiment) {
  const bool ok = ConsumeBegin(&key, kPending) && rocks::ConsumeString(&key, experiment);
  return Decoded(ok, key);
}

std::string Known(std::string_view experiment) { return WithText(kKnown, experiment); }

std::string Epoch() { return Begin(kEpoch); }

std::string Request(const RequestKey& key) {
  std::string out = WithText(kRequest, key.principal);
  rocks::AppendString(key.method, &out);
  rocks::AppendString(key.request_id, &out);
  return out;
}

}  // namespace assay::trace::keys
