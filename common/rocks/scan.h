// Bounded walks over a range of one column family. The iterator stays inside: it has bounds, its
// status is checked, and it is gone when Scan returns.
#ifndef ASSAY_COMMON_ROCKS_SCAN_H_
#define ASSAY_COMMON_ROCKS_SCAN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "common/rocks/db.h"

namespace assay::rocks {

struct ScanRequest {
  std::string begin;     // inclusive
  std::string end;       // exclusive; empty: to the end of the family
  int64_t limit = 1000;  // entries visited at most; above zero
  // All keys of the range have the same first FamilyOptions::prefix_bytes: files without that prefix
  // are not looked into. Forwards only.
  bool one_prefix = false;
  bool reverse = false;                // from the last entry before `end` downwards
  bool fill_cache = true;              // false for a walk over much that nobody reads again
  const Snapshot* snapshot = nullptr;  // default: the state at the call
};

// What a visitor wants next.
class ScanStep {
 public:
  static ScanStep Next() { return ScanStep(Kind::kNext, ""); }
  static ScanStep Stop() { return ScanStep(Kind::kStop, ""); }
  // Goes on at the first entry at or beyond `key` in the direction of the scan. A key that is not
  // beyond the current entry means Next().
  static ScanStep SkipTo(std::string key) { return ScanStep(Kind::kSkip, std::move(key)); }

  enum class Kind { kNext, kStop, kSkip };
  Kind kind() const { return kind_; }
  const std::string& key() const { return key_; }

 private:
  ScanStep(Kind kind, std::string key) : kind_(kind), key_(std::move(key)) {}
  Kind kind_;
  std::string key_;
};

enum class ScanEnd {
  kExhausted,  // nothing is left in the range
  kStopped,    // the visitor said Stop
  kLimit,      // `limit` entries were visited; more may be left
};

// Calls `visit` for each entry in order. The views are valid during the call only. INVALID_ARGUMENT
// for a limit below one, or one_prefix backwards or without a beginning; else as FromRocks. Blocks on the disk. Thread-safe.
absl::StatusOr<ScanEnd> Scan(
    const Db& db, int family, const ScanRequest& request,
    absl::FunctionRef<ScanStep(std::string_view key, std::string_view value)> visit);

}  // namespace assay::rocks

#endif  // ASSAY_COMMON_ROCKS_SCAN_H_
