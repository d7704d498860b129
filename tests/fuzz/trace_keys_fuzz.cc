// A key of the trace store that decodes is the one that its fields make.
#include <optional>
#include <string>
#include <string_view>

#include "services/trace/store/index_group.h"
#include "services/trace/store/log_keys.h"
#include "services/trace/store/trace_keys.h"
#include "tests/fuzz/check.h"

namespace assay::trace {
namespace {

void CheckSpans(const std::string& key) {
  TraceId trace;
  uint64_t sequence = 0;
  keys::Lifetime lifetime;
  if (keys::DecodeChunk(key, &trace, &sequence, &lifetime).ok()) {
    FUZZ_CHECK(keys::Chunk(trace, sequence, lifetime) == key);
  }
  if (keys::DecodeDirectory(key, &trace, &sequence, &lifetime).ok()) {
    FUZZ_CHECK(keys::Directory(trace, sequence, lifetime) == key);
  }
  if (keys::DecodeLogChunk(key, &trace, &sequence, &lifetime).ok()) {
    FUZZ_CHECK(keys::LogChunk(trace, sequence, lifetime) == key);
  }
  FUZZ_CHECK(!(keys::IsFacts(key) && keys::IsBinding(key)));
}

constexpr uint64_t kGroupStart = uint64_t{1} << 60;

void CheckIndexes(const std::string& key) {
  uint32_t number = 0;
  uint64_t bound_ms = 0;
  std::string field;
  std::string text;
  TraceId trace;
  TracePosition position;
  AssessmentIndex index;
  if (keys::DecodeTime(key, &number, &position).ok()) {
    FUZZ_CHECK(keys::Time(number, position) == key);
  }
  if (keys::DecodeTerm(key, &number, &field, &text, &position).ok()) {
    FUZZ_CHECK(keys::Term(number, field, text, position) == key);
  }
  const size_t prefix = keys::IndexPrefixBytes(key);
  FUZZ_CHECK(prefix <= key.size());
  keys::IndexKeyEnd end;
  if (keys::DecodeIndexKeyEnd(key.substr(prefix), &end).ok() && end.trace.has_value()) {
    std::string again = key.substr(0, prefix);
    keys::AppendPosition(*end.trace, &again);
    FUZZ_CHECK(again == key);
  }
  GroupMembers members;
  if (ReadGroupMembers(key, kGroupStart, &members).ok() && !key.empty()) {
    FUZZ_CHECK(ReadIndexBound(key, &bound_ms));
    std::string again = GroupValue(bound_ms);
    for (const std::optional<TracePosition>& member : members) {
      // Of one that left nothing is kept.
      again += member.has_value() ? GroupMember({.start_unix_nano = kGroupStart}, *member)
                                  : key.substr(again.size(), 20);
    }
    FUZZ_CHECK(again == key);
  }
  std::string_view places;
  if (ReadGroupPlaces(key, &places).ok()) FUZZ_CHECK(places.empty() == key.empty());
  if (keys::DecodeBoundValue(key, &bound_ms).ok()) FUZZ_CHECK(keys::BoundValue(bound_ms) == key);
  if (keys::DecodeByName(key, &index, &trace, &text).ok()) {
    FUZZ_CHECK(keys::ByName(index, trace, text) == key);
  }
  if (keys::DecodeAssessment(key, &trace, &text).ok()) {
    FUZZ_CHECK(keys::Assessment(trace, text) == key);
  }
  FUZZ_CHECK(keys::TermValue(key).size() <= 64);
}

void CheckDueAndSessions(const std::string& key) {
  uint64_t time_ms = 0;
  uint32_t number = 0;
  std::string text;
  DueTraces due;
  if (keys::DecodeDueTrace(key, "", &due).ok()) {
    FUZZ_CHECK(keys::DueTrace(due) == key);
  }
  if (keys::DecodeDueSession(key, &time_ms, &number, &text).ok()) {
    FUZZ_CHECK(keys::DueSession(time_ms, number, text) == key);
  }
  if (keys::DecodeSession(key, &number, &text).ok()) {
    FUZZ_CHECK(keys::Session(number, text) == key);
  }
  if (keys::DecodeSessionActivity(key, &number, &time_ms, &text).ok()) {
    FUZZ_CHECK(keys::SessionActivity(number, time_ms, text) == key);
  }
}

void CheckRest(const std::string& key) {
  uint64_t sequence = 0;
  uint32_t number = 0;
  std::string text;
  if (keys::DecodeFeed(key, &sequence).ok()) FUZZ_CHECK(keys::Feed(sequence) == key);
  if (keys::DecodeUsage(key, &number, &sequence).ok()) {
    FUZZ_CHECK(keys::Usage(number, sequence) == key);
  }
  if (keys::DecodeNumber(key, &text).ok()) FUZZ_CHECK(keys::Number(text) == key);
  if (keys::DecodePolicy(key, &number).ok()) FUZZ_CHECK(keys::Policy(number) == key);
  if (keys::DecodeOutbox(key, &sequence).ok()) FUZZ_CHECK(keys::Outbox(sequence) == key);
  if (keys::DecodePending(key, &text).ok()) FUZZ_CHECK(keys::Pending(text) == key);
}

}  // namespace
}  // namespace assay::trace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string key(assay::fuzz::AsText(data, size));
  assay::trace::CheckSpans(key);
  assay::trace::CheckIndexes(key);
  assay::trace::CheckDueAndSessions(key);
  assay::trace::CheckRest(key);
  return 0;
}
