#include "services/trace/store/trace_keys.h"

#include <optional>
#include <utility>

#include "absl/strings/escaping.h"
#include "assay/storage/v1/trace_records.pb.h"
#include "common/json/canonical.h"
#include "common/rocks/ordered_code.h"

namespace assay::trace::keys {
namespace {

constexpr uint8_t kFormat = 0x01;
constexpr size_t kMaxTermValueBytes = 64;
enum Kind : uint8_t {
  kBinding = 0x02,
  kFacts = 0x03,
  kByName = 0x05,
  kAssessment = 0x06,
  kApplied = 0x07,
  kPending = 0x08,
  kKnown = 0x09,
  kEpoch = 0x0A,
  kRequest = 0x0B,
  kChunk = 0x0C,
  kDirectoryEntry = 0x0D,
  kTime = 0x0E,
  kTerm = 0x0F,
  kDueTrace = 0x10,
  kDueSession = 0x11,
  kSession = 0x12,
  kSessionActivity = 0x13,
  kFeedEvent = 0x14,
  kUsageHour = 0x15,
  kNumber = 0x16,
  kPolicy = 0x17,
  kOutboxEntry = 0x18,
  kFeedStart = 0x19,
  kIdentity = 0x1A,
  kIndexed = 0x1B,
  kHasty = 0x1D,
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

// Values that are lists of traces.
std::string TracesBytes(absl::Span<const TraceId> traces) {
  std::string bytes;
  bytes.reserve(traces.size() * TraceId::kSize);
  for (const TraceId& trace : traces) bytes.append(trace.bytes());
  return bytes;
}

bool ConsumeTraces(std::string_view in, std::vector<TraceId>* traces) {
  while (!in.empty()) {
    if (!ConsumeTrace(&in, &traces->emplace_back())) return false;
  }
  return true;
}

std::string WithNumber(Kind kind, uint32_t number) {
  std::string key = Begin(kind);
  rocks::AppendUint32(number, &key);
  return key;
}

std::string WithUint64(Kind kind, uint64_t value) {
  std::string key = Begin(kind);
  rocks::AppendUint64(value, &key);
  return key;
}

void AppendLifetime(uint64_t sequence, const Lifetime& lifetime, std::string* key) {
  rocks::AppendUint64(sequence, key);
  rocks::AppendUint32(lifetime.number, key);
  rocks::AppendUint64(lifetime.bound_ms, key);
}

bool ConsumeLifetime(std::string_view* in, uint64_t* sequence, Lifetime* lifetime) {
  return rocks::ConsumeUint64(in, sequence) && rocks::ConsumeUint32(in, &lifetime->number) &&
         rocks::ConsumeUint64(in, &lifetime->bound_ms);
}

bool ConsumePosition(std::string_view* in, TracePosition* position) {
  return rocks::ConsumeDescUint64(in, &position->start_unix_nano) &&
         ConsumeTrace(in, &position->trace);
}

// Behind a key of traces that are due.
constexpr uint8_t kWithStates = 0x01;

// `due` has the first trace.
bool ReadDueStates(std::string_view value, DueTraces* due) {
  storage::v1::DueTracesRecord record;
  if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) return false;
  const TraceId first = due->traces.front();
  due->traces.clear();
  for (storage::v1::DueTraceRecord& trace : *record.mutable_traces()) {
    const std::optional<TraceId> id = TraceId::FromBytes(trace.trace_id());
    if (!id.has_value()) return false;
    due->traces.push_back(*id);
    std::optional<DueState>& state = due->states.emplace_back();
    if (trace.experiment_number() == 0) continue;
    state = {trace.experiment_number(), trace.bound_ms(), trace.root_ended(),
             std::move(*trace.mutable_session())};
  }
  return !due->traces.empty() && due->traces.front() == first;
}

absl::Status Decoded(bool ok, std::string_view rest) {
  if (ok && rest.empty()) return absl::OkStatus();
  return absl::DataLossError("a key of the trace store cannot be read");
}

}  // namespace

void AppendPosition(const TracePosition& position, std::string* prefix) {
  rocks::AppendDescUint64(position.start_unix_nano, prefix);
  prefix->append(position.trace.bytes());
}

std::string Chunk(const TraceId& trace, uint64_t sequence, const Lifetime& lifetime) {
  std::string key = ChunkPrefix(trace);
  AppendLifetime(sequence, lifetime, &key);
  return key;
}

std::string ChunkPrefix(const TraceId& trace) { return WithTrace(kChunk, trace); }

std::string ChunkPrefix(const TraceId& trace, uint64_t sequence) {
  std::string key = ChunkPrefix(trace);
  rocks::AppendUint64(sequence, &key);
  return key;
}

absl::Status DecodeChunk(std::string_view key, TraceId* trace, uint64_t* sequence,
                         Lifetime* lifetime) {
  const bool ok = ConsumeBegin(&key, kChunk) && ConsumeTrace(&key, trace) &&
                  ConsumeLifetime(&key, sequence, lifetime);
  return Decoded(ok, key);
}

std::string Directory(const TraceId& trace, uint64_t sequence, const Lifetime& lifetime) {
  std::string key = DirectoryPrefix(trace);
  AppendLifetime(sequence, lifetime, &key);
  return key;
}

std::string DirectoryPrefix(const TraceId& trace) { return WithTrace(kDirectoryEntry, trace); }

std::string DirectoryPrefix(const TraceId& trace, uint64_t sequence) {
  std::string key = DirectoryPrefix(trace);
  rocks::AppendUint64(sequence, &key);
  return key;
}

absl::Status DecodeDirectory(std::string_view key, TraceId* trace, uint64_t* sequence,
                             Lifetime* lifetime) {
  const bool ok = ConsumeBegin(&key, kDirectoryEntry) && ConsumeTrace(&key, trace) &&
                  ConsumeLifetime(&key, sequence, lifetime);
  return Decoded(ok, key);
}

std::string Binding(const TraceId& trace) { return WithTrace(kBinding, trace); }

std::string Facts(const TraceId& trace) { return WithTrace(kFacts, trace); }

bool IsFacts(std::string_view key) {
  TraceId trace;
  return ConsumeBegin(&key, kFacts) && ConsumeTrace(&key, &trace) && key.empty();
}

bool IsBinding(std::string_view key) {
  TraceId trace;
  return ConsumeBegin(&key, kBinding) && ConsumeTrace(&key, &trace) && key.empty();
}

std::string Time(uint32_t number, const TracePosition& position) {
  std::string key = TimePrefix(number);
  AppendPosition(position, &key);
  return key;
}

std::string TimePrefix(uint32_t number) { return WithNumber(kTime, number); }

absl::Status DecodeTime(std::string_view key, uint32_t* number, TracePosition* position) {
  const bool ok = ConsumeBegin(&key, kTime) && rocks::ConsumeUint32(&key, number) &&
                  ConsumePosition(&key, position);
  return Decoded(ok, key);
}

std::string Term(uint32_t number, std::string_view field, std::string_view value,
                 const TracePosition& position) {
  std::string key = TermPrefix(number, field, value);
  AppendPosition(position, &key);
  return key;
}

std::string TermPrefix(uint32_t number, std::string_view field, std::string_view value) {
  std::string key = TermFieldPrefix(number, field);
  if (value.size() <= kMaxTermValueBytes) {
    rocks::AppendString(value, &key);
  } else {
    rocks::AppendString(TermValue(value), &key);
  }
  return key;
}

std::string TermFieldPrefix(uint32_t number, std::string_view field) {
  std::string key = WithNumber(kTerm, number);
  key.reserve(128);  // Room for what nearly always follows.
  rocks::AppendString(field, &key);
  return key;
}

bool ReadIndexNumber(std::string_view key, uint32_t* number) {
  uint8_t format = 0;
  uint8_t kind = 0;
  return rocks::ConsumeByte(&key, &format) && format == kFormat &&
         rocks::ConsumeByte(&key, &kind) && (kind == kTime || kind == kTerm) &&
         rocks::ConsumeUint32(&key, number);
}

size_t IndexPrefixBytes(std::string_view key) {
  constexpr size_t kNumberEnd = 2 + sizeof(uint32_t);
  if (key.size() < kNumberEnd || key[0] != kFormat) return 0;
  if (key[1] == kTime) return kNumberEnd;
  if (key[1] != kTerm) return 0;
  // Field and value end with 0x00 0x01; a zero within them is followed by another byte.
  int strings = 0;
  size_t at = kNumberEnd;
  while (true) {
    at = key.find('\0', at);
    if (at == std::string_view::npos || at + 1 >= key.size()) return 0;
    at += 2;
    if (key[at - 1] == '\x01' && ++strings == 2) return at;
  }
}

bool IsByTime(std::string_view key) { return ConsumeBegin(&key, kTime); }

void AppendGroup(const IndexGroup& group, std::string* prefix) {
  rocks::AppendDescUint64(group.start_unix_nano + 1, prefix);
  rocks::AppendUint64(group.sequence, prefix);
  rocks::AppendUint32(group.ordinal, prefix);
}

absl::Status DecodeIndexKeyEnd(std::string_view rest, IndexKeyEnd* end) {
  constexpr size_t kGroupBytes = 8 + 8 + 4;
  end->trace.reset();
  if (rest.size() == kGroupBytes) {
    return Decoded(rocks::ConsumeDescUint64(&rest, &end->start_unix_nano), {});
  }
  TracePosition position;
  const bool ok = ConsumePosition(&rest, &position);
  end->trace = position;
  end->start_unix_nano = position.start_unix_nano;
  return Decoded(ok, rest);
}

absl::Status DecodeTerm(std::string_view key, uint32_t* number, std::string* field,
                        std::string* value, TracePosition* position) {
  const bool ok = ConsumeBegin(&key, kTerm) && rocks::ConsumeUint32(&key, number) &&
                  rocks::ConsumeString(&key, field) && rocks::ConsumeString(&key, value) &&
                  value->size() <= kMaxTermValueBytes && ConsumePosition(&key, position);
  return Decoded(ok, key);
}

std::string TermValue(std::string_view value) {
  if (value.size() <= kMaxTermValueBytes) return std::string(value);
  constexpr size_t kHead = 48;
  const std::string hex = json::Sha256Hex(value);
  std::string out(value.substr(0, kHead));
  out.append(absl::HexStringToBytes(hex.substr(0, 2 * (kMaxTermValueBytes - kHead))));
  return out;
}

std::string BoundValue(uint64_t bound_ms) {
  std::string value;
  rocks::AppendUint64(bound_ms, &value);
  return value;
}

absl::Status DecodeBoundValue(std::string_view value, uint64_t* bound_ms) {
  const bool ok = rocks::ConsumeUint64(&value, bound_ms);
  return Decoded(ok, value);
}

std::string LifetimeValue(const Lifetime& lifetime) {
  std::string value;
  if (lifetime.number == 0) return value;
  rocks::AppendUint32(lifetime.number, &value);
  rocks::AppendUint64(lifetime.bound_ms, &value);
  return value;
}

absl::Status DecodeLifetimeValue(std::string_view value, Lifetime* lifetime) {
  *lifetime = {};
  const bool ok = value.empty() || (rocks::ConsumeUint32(&value, &lifetime->number) &&
                                    rocks::ConsumeUint64(&value, &lifetime->bound_ms));
  return Decoded(ok, value);
}

bool IsByName(std::string_view key) { return ConsumeBegin(&key, kByName); }

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

std::string DueTrace(const DueTraces& due) {
  std::string key = DueTracesAt(due.due_ms);
  key.append(due.traces.front().bytes());
  if (due.sequence > 0) rocks::AppendUint64(due.sequence, &key);
  if (!due.states.empty()) rocks::AppendByte(kWithStates, &key);
  return key;
}

std::string DueTraceValue(const DueTraces& due) {
  if (due.states.empty()) return TracesBytes(absl::MakeConstSpan(due.traces).subspan(1));
  storage::v1::DueTracesRecord record;
  record.set_schema_version(1);
  for (size_t i = 0; i < due.traces.size(); ++i) {
    storage::v1::DueTraceRecord& trace = *record.add_traces();
    trace.set_trace_id(std::string(due.traces[i].bytes()));
    if (!due.states[i].has_value()) continue;
    trace.set_experiment_number(due.states[i]->experiment_number);
    trace.set_bound_ms(due.states[i]->bound_ms);
    trace.set_root_ended(due.states[i]->root_ended);
    trace.set_session(due.states[i]->session);
  }
  return record.SerializeAsString();
}

std::string DueTracePrefix() { return Begin(kDueTrace); }

std::string DueTracesAt(uint64_t due_ms) { return WithUint64(kDueTrace, due_ms); }

absl::Status DecodeDueTrace(std::string_view key, std::string_view value, DueTraces* due) {
  due->traces.resize(1);
  due->sequence = 0;
  due->states.clear();
  bool ok = ConsumeBegin(&key, kDueTrace) && rocks::ConsumeUint64(&key, &due->due_ms) &&
            ConsumeTrace(&key, &due->traces.front());
  if (ok && !key.empty()) {
    ok = rocks::ConsumeUint64(&key, &due->sequence) && due->sequence > 0;
  }
  if (!ok || key.empty()) return Decoded(ok && ConsumeTraces(value, &due->traces), key);
  uint8_t marker = 0;
  ok = rocks::ConsumeByte(&key, &marker) && marker == kWithStates && ReadDueStates(value, due);
  return Decoded(ok, key);
}

std::string DueSession(uint64_t due_ms, uint32_t number, std::string_view session) {
  std::string key = DueSessionsAt(due_ms);
  rocks::AppendUint32(number, &key);
  rocks::AppendString(session, &key);
  return key;
}

std::string DueSessionPrefix() { return Begin(kDueSession); }

std::string DueSessionsAt(uint64_t due_ms) { return WithUint64(kDueSession, due_ms); }

absl::Status DecodeDueSession(std::string_view key, uint64_t* due_ms, uint32_t* number,
                              std::string* session) {
  const bool ok = ConsumeBegin(&key, kDueSession) && rocks::ConsumeUint64(&key, due_ms) &&
                  rocks::ConsumeUint32(&key, number) && rocks::ConsumeString(&key, session);
  return Decoded(ok, key);
}

std::string Session(uint32_t number, std::string_view session) {
  std::string key = WithNumber(kSession, number);
  rocks::AppendString(session, &key);
  return key;
}

absl::Status DecodeSession(std::string_view key, uint32_t* number, std::string* session) {
  const bool ok = ConsumeBegin(&key, kSession) && rocks::ConsumeUint32(&key, number) &&
                  rocks::ConsumeString(&key, session);
  return Decoded(ok, key);
}

std::string SessionActivity(uint32_t number, uint64_t last_activity_ms, std::string_view session) {
  std::string key = SessionActivityPrefix(number);
  rocks::AppendDescUint64(last_activity_ms, &key);
  rocks::AppendString(session, &key);
  return key;
}

std::string SessionActivityPrefix(uint32_t number) { return WithNumber(kSessionActivity, number); }

absl::Status DecodeSessionActivity(std::string_view key, uint32_t* number,
                                   uint64_t* last_activity_ms, std::string* session) {
  const bool ok = ConsumeBegin(&key, kSessionActivity) && rocks::ConsumeUint32(&key, number) &&
                  rocks::ConsumeDescUint64(&key, last_activity_ms) &&
                  rocks::ConsumeString(&key, session);
  return Decoded(ok, key);
}

std::string Feed(uint64_t sequence) { return WithUint64(kFeedEvent, sequence); }

std::string FeedPrefix() { return Begin(kFeedEvent); }

absl::Status DecodeFeed(std::string_view key, uint64_t* sequence) {
  const bool ok = ConsumeBegin(&key, kFeedEvent) && rocks::ConsumeUint64(&key, sequence);
  return Decoded(ok, key);
}

std::string Usage(uint32_t number, uint64_t hour) {
  std::string key = UsagePrefix(number);
  rocks::AppendUint64(hour, &key);
  return key;
}

std::string UsagePrefix(uint32_t number) { return WithNumber(kUsageHour, number); }

absl::Status DecodeUsage(std::string_view key, uint32_t* number, uint64_t* hour) {
  const bool ok = ConsumeBegin(&key, kUsageHour) && rocks::ConsumeUint32(&key, number) &&
                  rocks::ConsumeUint64(&key, hour);
  return Decoded(ok, key);
}

std::string Number(std::string_view experiment) { return WithText(kNumber, experiment); }

std::string NumberPrefix() { return Begin(kNumber); }

absl::Status DecodeNumber(std::string_view key, std::string* experiment) {
  const bool ok = ConsumeBegin(&key, kNumber) && rocks::ConsumeString(&key, experiment);
  return Decoded(ok, key);
}

std::string Policy(uint32_t number) { return WithNumber(kPolicy, number); }

std::string PolicyPrefix() { return Begin(kPolicy); }

absl::Status DecodePolicy(std::string_view key, uint32_t* number) {
  const bool ok = ConsumeBegin(&key, kPolicy) && rocks::ConsumeUint32(&key, number);
  return Decoded(ok, key);
}

std::string Indexed() { return Begin(kIndexed); }

std::string Hasty(uint64_t sequence) { return WithUint64(kHasty, sequence); }

std::string HastyPrefix() { return Begin(kHasty); }

std::string HastyValue(absl::Span<const TraceId> traces) { return TracesBytes(traces); }

absl::Status DecodeHasty(std::string_view key, std::string_view value, uint64_t* sequence,
                         std::vector<TraceId>* traces) {
  traces->clear();
  const bool ok = ConsumeBegin(&key, kHasty) && rocks::ConsumeUint64(&key, sequence) &&
                  ConsumeTraces(value, traces);
  return Decoded(ok, key);
}

std::string Outbox(uint64_t sequence) { return WithUint64(kOutboxEntry, sequence); }

std::string OutboxPrefix() { return Begin(kOutboxEntry); }

absl::Status DecodeOutbox(std::string_view key, uint64_t* sequence) {
  const bool ok = ConsumeBegin(&key, kOutboxEntry) && rocks::ConsumeUint64(&key, sequence);
  return Decoded(ok, key);
}

std::string FeedStart() { return Begin(kFeedStart); }

std::string Identity() { return Begin(kIdentity); }

std::string Request(const RequestKey& key) {
  std::string out = WithText(kRequest, key.principal);
  rocks::AppendString(key.method, &out);
  rocks::AppendString(key.request_id, &out);
  return out;
}

}  // namespace assay::trace::keys
