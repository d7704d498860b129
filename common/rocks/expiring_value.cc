#include "common/rocks/expiring_value.h"

#include <utility>

#include "common/rocks/int64_add.h"
#include "common/rocks/ordered_code.h"
#include "common/status/errors.h"
#include "rocksdb/slice.h"

namespace assay::rocks {
namespace {

constexpr char kStays = 0x01;
constexpr char kExpires = 0x02;
constexpr char kCounter = 0x03;

// What an operand adds to. A counter and an operand are spelled alike, so operands merge with each
// other.
int64_t CounterBase(std::string_view stored) {
  if (stored.empty() || (stored[0] != kCounter && stored[0] != kStays)) return 0;
  return DecodeFixedInt64(stored.substr(1)).value_or(0);
}

class ExpiringValueMerge final : public rocksdb::AssociativeMergeOperator {
 public:
  bool Merge(const rocksdb::Slice& /*key*/, const rocksdb::Slice* existing,
             const rocksdb::Slice& operand, std::string* result,
             rocksdb::Logger* /*logger*/) const override {
    const int64_t base = existing == nullptr ? 0 : CounterBase(existing->ToStringView());
    *result = EncodeAdd(WrappingAdd(base, CounterBase(operand.ToStringView())));
    return true;
  }
  const char* Name() const override { return "assay.ExpiringValueMerge.1"; }
};

class ExpiryFilter final : public rocksdb::CompactionFilter {
 public:
  // One time for one compaction.
  explicit ExpiryFilter(absl::Time now) : now_(now) {}

  bool Filter(int /*level*/, const rocksdb::Slice& /*key*/, const rocksdb::Slice& value,
              std::string* /*new_value*/, bool* /*changed*/) const override {
    // What cannot be read stays, so that a reader can tell of it.
    const auto payload = DecodeValue(value.ToStringView(), now_);
    return payload.ok() && !payload->has_value();
  }
  const char* Name() const override { return "assay.ExpiryFilter"; }

 private:
  const absl::Time now_;
};

class ExpiryFilterFactory final : public rocksdb::CompactionFilterFactory {
 public:
  explicit ExpiryFilterFactory(std::function<absl::Time()> now) : now_(std::move(now)) {}

  std::unique_ptr<rocksdb::CompactionFilter> CreateCompactionFilter(
      const rocksdb::CompactionFilter::Context& /*context*/) override {
    return std::make_unique<ExpiryFilter>(now_());
  }
  const char* Name() const override { return "assay.ExpiryFilterFactory"; }

 private:
  const std::function<absl::Time()> now_;
};

}  // namespace

std::string EncodeValue(std::string_view payload, absl::Time expires_at) {
  std::string out;
  out.reserve(payload.size() + 9);
  if (expires_at == absl::InfiniteFuture()) {
    out.push_back(kStays);
  } else {
    out.push_back(kExpires);
    AppendInt64(absl::ToUnixMicros(expires_at), &out);
  }
  out.append(payload);
  return out;
}

std::string EncodeAdd(int64_t delta) { return kCounter + EncodeFixedInt64(delta); }

absl::StatusOr<std::optional<std::string_view>> DecodeValue(std::string_view stored,
                                                            absl::Time now) {
  const char tag = stored.empty() ? '\0' : stored[0];
  std::string_view rest = stored.substr(stored.empty() ? 0 : 1);
  if (tag == kStays || (tag == kCounter && rest.size() == sizeof(int64_t))) return rest;
  int64_t expires_at_micros = 0;
  if (tag == kExpires && ConsumeInt64(&rest, &expires_at_micros)) {
    if (absl::FromUnixMicros(expires_at_micros) <= now) return std::nullopt;
    return rest;
  }
  return MakeError(absl::StatusCode::kDataLoss, "STORAGE_CORRUPT", "a stored value cannot be read");
}

std::shared_ptr<rocksdb::MergeOperator> NewExpiringValueMergeOperator() {
  return std::make_shared<ExpiringValueMerge>();
}

std::shared_ptr<rocksdb::CompactionFilterFactory> NewExpiryFilterFactory(
    std::function<absl::Time()> now) {
  return std::make_shared<ExpiryFilterFactory>(std::move(now));
}

}  // namespace assay::rocks
