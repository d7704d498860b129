#include "common/rocks/scan.h"

#include <memory>

#include "common/rocks/status.h"
#include "common/status/errors.h"
#include "rocksdb/iterator.h"
#include "rocksdb/options.h"

namespace assay::rocks {
namespace {

// One iterator, seen in the direction of the scan.
class Walk {
 public:
  Walk(const Db& db, int family, const ScanRequest& request)
      : request_(request), begin_(request.begin), end_(request.end) {
    rocksdb::ReadOptions options;
    options.total_order_seek = !request.one_prefix;
    options.prefix_same_as_start = request.one_prefix;
    options.fill_cache = request.fill_cache;
    if (request.snapshot != nullptr) options.snapshot = request.snapshot->get();
    if (!request.begin.empty()) options.iterate_lower_bound = &begin_;
    if (!request.end.empty()) options.iterate_upper_bound = &end_;
    iterator_.reset(db.raw().NewIterator(options, db.family(family)));
  }

  void Start() { request_.reverse ? iterator_->SeekToLast() : iterator_->SeekToFirst(); }
  void Next() { request_.reverse ? iterator_->Prev() : iterator_->Next(); }

  void SkipTo(const std::string& target) {
    const int order = rocksdb::Slice(target).compare(iterator_->key());
    const bool ahead = request_.reverse ? order < 0 : order > 0;
    if (!ahead) return Next();
    request_.reverse ? iterator_->SeekForPrev(target) : iterator_->Seek(target);
  }

  bool Valid() const { return iterator_->Valid(); }
  std::string_view key() const { return iterator_->key().ToStringView(); }
  std::string_view value() const { return iterator_->value().ToStringView(); }
  rocksdb::Status status() const { return iterator_->status(); }

 private:
  const ScanRequest& request_;
  const rocksdb::Slice begin_;
  const rocksdb::Slice end_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace

absl::StatusOr<ScanEnd> Scan(
    const Db& db, int family, const ScanRequest& request,
    absl::FunctionRef<ScanStep(std::string_view key, std::string_view value)> visit) {
  if (request.limit < 1) {
    return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_SCAN",
                     "the limit of a scan must be at least 1");
  }
  if (request.one_prefix && (request.reverse || request.begin.empty())) {
    return MakeError(absl::StatusCode::kInvalidArgument, "INVALID_SCAN",
                     "a scan of one prefix goes forwards from a key");
  }
  // RocksDB leaves bounds in the wrong order undefined.
  if (!request.end.empty() && request.begin >= request.end) return ScanEnd::kExhausted;
  Walk walk(db, family, request);
  int64_t visited = 0;
  for (walk.Start(); walk.Valid();) {
    if (visited == request.limit) return ScanEnd::kLimit;
    ++visited;
    const ScanStep step = visit(walk.key(), walk.value());
    if (step.kind() == ScanStep::Kind::kStop) return ScanEnd::kStopped;
    if (step.kind() == ScanStep::Kind::kSkip) {
      walk.SkipTo(step.key());
    } else {
      walk.Next();
    }
  }
  if (!walk.status().ok()) return FromRocks(walk.status(), "scan");
  return ScanEnd::kExhausted;
}

}  // namespace assay::rocks
