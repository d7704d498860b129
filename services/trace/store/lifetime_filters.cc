#include "services/trace/store/lifetime_filters.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "assay/storage/v1/trace_records.pb.h"
#include "common/otlp/wire_cursor.h"
#include "services/trace/store/index_group.h"
#include "services/trace/store/log_keys.h"
#include "services/trace/store/trace_keys.h"
#include "services/trace/store/trace_state.h"

namespace assay::trace {
namespace {

// What a compaction knows.
struct Moment {
  std::shared_ptr<const HorizonTable> horizons;
  uint64_t now_ms = 0;

  bool MayBeGone(uint32_t number) const { return horizons->contains(number); }
  bool IsGone(const keys::Lifetime& lifetime) const {
    const auto found = horizons->find(lifetime.number);
    return found != horizons->end() && lifetime.bound_ms < found->second;
  }
};

// Where entries of a family say when they expire.
enum class Entries : uint8_t {
  kSayInKey,
  kSayInValue,       // Operands of a merge say nothing.
  kSayInEveryValue,  // Operands too.
};

// Whether an entry is to be left out.
using Drops = bool (*)(const Moment& moment, std::string_view key, std::string_view value);

class LifetimeFilter final : public rocksdb::CompactionFilter {
 public:
  LifetimeFilter(Moment moment, Drops drops, Entries entries)
      : moment_(std::move(moment)), drops_(drops), entries_(entries) {}

  Decision FilterV2(int /*level*/, const rocksdb::Slice& key, ValueType type,
                    const rocksdb::Slice& value, std::string* /*new_value*/,
                    std::string* /*skip_until*/) const override {
    if (type == ValueType::kMergeOperand && entries_ == Entries::kSayInValue) {
      return Decision::kKeep;
    }
    return Decide(key, value);
  }
  Decision FilterBlobByKey(int /*level*/, const rocksdb::Slice& key, std::string* /*new_value*/,
                           std::string* /*skip_until*/) const override {
    return entries_ == Entries::kSayInKey ? Decide(key, {}) : Decision::kUndetermined;
  }
  const char* Name() const override { return "assay.TraceLifetimeFilter"; }

 private:
  Decision Decide(const rocksdb::Slice& key, const rocksdb::Slice& value) const {
    return drops_(moment_, key.ToStringView(), value.ToStringView()) ? Decision::kRemove
                                                                     : Decision::kKeep;
  }

  const Moment moment_;
  const Drops drops_;
  const Entries entries_;
};

class LifetimeFilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  LifetimeFilterFactory(std::shared_ptr<const Horizons> horizons, Clock* clock, Drops drops,
                        Entries entries)
      : horizons_(std::move(horizons)), clock_(clock), drops_(drops), entries_(entries) {}

  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    Moment moment{.horizons = horizons_->Table()};
    if (clock_ != nullptr) {
      moment.now_ms =
          static_cast<uint64_t>(std::max<int64_t>(0, absl::ToUnixMillis(clock_->Now())));
    }
    return std::make_unique<LifetimeFilter>(std::move(moment), drops_, entries_);
  }
  const char* Name() const override { return "assay.TraceLifetimeFilterFactory"; }

 private:
  const std::shared_ptr<const Horizons> horizons_;
  Clock* const clock_;
  const Drops drops_;
  const Entries entries_;
};

bool DropsChunk(const Moment& moment, std::string_view key, std::string_view /*value*/) {
  TraceId trace;
  uint64_t sequence = 0;
  keys::Lifetime lifetime;
  const bool known = keys::DecodeChunk(key, &trace, &sequence, &lifetime).ok() ||
                     keys::DecodeDirectory(key, &trace, &sequence, &lifetime).ok() ||
                     keys::DecodeLogChunk(key, &trace, &sequence, &lifetime).ok();
  return known && moment.IsGone(lifetime);
}

// The lifetime within a TraceFactsRecord, without reading the rest.
bool ReadFactsLifetime(std::string_view facts, keys::Lifetime* lifetime) {
  otlp::WireCursor cursor(facts);
  otlp::WireField field;
  while (cursor.Next(&field)) {
    using Record = storage::v1::TraceFactsRecord;
    if (field.number == Record::kExperimentNumberFieldNumber) {
      lifetime->number = static_cast<uint32_t>(field.value);
    } else if (field.number == Record::kBoundMsFieldNumber) {
      lifetime->bound_ms = field.value;
    }
  }
  return cursor.ok() && lifetime->number != 0;
}

bool DropsTrace(const Moment& moment, std::string_view key, std::string_view value) {
  if (keys::IsFacts(key)) {
    keys::Lifetime lifetime;
    return ReadFactsLifetime(value, &lifetime) && moment.IsGone(lifetime);
  }
  storage::v1::TraceBindingRecord binding;
  if (!keys::IsBinding(key) ||
      !binding.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return false;
  }
  if (binding.deleted_ms() > 0) return DeletionHasServed(binding, moment.now_ms);
  return moment.IsGone({binding.experiment_number(), binding.bound_ms()});
}

bool DropsIndexEntry(const Moment& moment, std::string_view key, std::string_view value) {
  keys::Lifetime lifetime;
  // Compactions see more entries of the index than of all else, and nearly all of them stay.
  if (keys::ReadIndexNumber(key, &lifetime.number)) {
    if (value.empty()) return true;  // A group that all have left.
    if (!moment.MayBeGone(lifetime.number)) return false;
  }
  if (lifetime.number != 0) {
    return ReadIndexBound(value, &lifetime.bound_ms) && moment.IsGone(lifetime);
  }
  return keys::IsByName(key) && keys::DecodeLifetimeValue(value, &lifetime).ok() &&
         moment.IsGone(lifetime);
}

bool DropsAssessment(const Moment& moment, std::string_view /*key*/, std::string_view value) {
  storage::v1::AssessmentDigestRecord record;
  return record.ParseFromArray(value.data(), static_cast<int>(value.size())) &&
         record.experiment_number() != 0 &&
         moment.IsGone({record.experiment_number(), record.bound_ms()});
}

bool DropsSession(const Moment& moment, std::string_view key, std::string_view value) {
  keys::Lifetime activity;
  std::string session;
  if (keys::DecodeSessionActivity(key, &activity.number, &activity.bound_ms, &session).ok()) {
    return moment.IsGone(activity);
  }
  storage::v1::SessionRecord record;
  if (!keys::DecodeSession(key, &activity.number, &session).ok() ||
      !record.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return false;
  }
  activity.bound_ms = record.last_activity_ms();
  return moment.IsGone(activity);
}

}  // namespace

std::shared_ptr<rocksdb::CompactionFilterFactory> NewChunkFilterFactory(
    std::shared_ptr<const Horizons> horizons) {
  return std::make_shared<LifetimeFilterFactory>(std::move(horizons), nullptr, &DropsChunk,
                                                 Entries::kSayInKey);
}

std::shared_ptr<rocksdb::CompactionFilterFactory> NewTraceFilterFactory(
    std::shared_ptr<const Horizons> horizons, Clock& clock) {
  return std::make_shared<LifetimeFilterFactory>(std::move(horizons), &clock, &DropsTrace,
                                                 Entries::kSayInEveryValue);
}

std::shared_ptr<rocksdb::CompactionFilterFactory> NewIndexFilterFactory(
    std::shared_ptr<const Horizons> horizons) {
  return std::make_shared<LifetimeFilterFactory>(std::move(horizons), nullptr, &DropsIndexEntry,
                                                 Entries::kSayInValue);
}

std::shared_ptr<rocksdb::CompactionFilterFactory> NewAssessmentFilterFactory(
    std::shared_ptr<const Horizons> horizons) {
  return std::make_shared<LifetimeFilterFactory>(std::move(horizons), nullptr, &DropsAssessment,
                                                 Entries::kSayInValue);
}

std::shared_ptr<rocksdb::CompactionFilterFactory> NewSessionFilterFactory(
    std::shared_ptr<const Horizons> horizons) {
  return std::make_shared<LifetimeFilterFactory>(std::move(horizons), nullptr, &DropsSession,
                                                 Entries::kSayInValue);
}

}  // namespace assay::trace
