#include "common/rocks/bucket_memtable.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <deque>
#include <iterator>
#include <new>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "common/sync/mutex.h"

namespace assay::rocks {
namespace {

using rocksdb::Slice;
using KeyComparator = rocksdb::MemTableRep::KeyComparator;

// Behind every user key: the number of the write and the kind of the entry.
constexpr size_t kTrailer = 8;

std::string_view UserKeyOf(const Slice& internal_key) {
  return {internal_key.data(), internal_key.size() - kTrailer};
}

// The first eight bytes of what follows the bucket's name, as a number of the same order. Ties are
// for the whole key to decide.
uint64_t OrderOf(std::string_view user_key, size_t name_bytes) {
  uint64_t order = 0;
  const size_t size = std::min(user_key.size() - name_bytes, sizeof(order));
  std::memcpy(&order, user_key.data() + name_bytes, size);
  return __builtin_bswap64(order);
}

// An entry as RocksDB packed it: key and value.
struct Entry {
  uint64_t order = 0;
  const char* packed = nullptr;
};

// A place among the entries of a bucket, which need not be taken.
struct Place {
  uint64_t order = 0;
  Slice internal_key;
};

struct EntryLess {
  using is_transparent = void;
  const KeyComparator* compare = nullptr;

  bool operator()(const Entry& a, const Entry& b) const {
    return a.order != b.order ? a.order < b.order : (*compare)(a.packed, b.packed) < 0;
  }
  bool operator()(const Entry& a, const Place& b) const {
    return a.order != b.order ? a.order < b.order : (*compare)(a.packed, b.internal_key) < 0;
  }
  bool operator()(const Place& a, const Entry& b) const {
    return a.order != b.order ? a.order < b.order : (*compare)(b.packed, a.internal_key) > 0;
  }
};

// Gives memory that lives as long as the table.
class TableMemory {
 public:
  virtual void* Take(size_t bytes) = 0;

 protected:
  ~TableMemory() = default;
};

template <class T>
class TableAllocator {
 public:
  using value_type = T;
  explicit TableAllocator(TableMemory* memory) : memory_(memory) {}
  template <class U>
  TableAllocator(const TableAllocator<U>& other) : memory_(other.memory()) {}

  T* allocate(size_t count) { return static_cast<T*>(memory_->Take(count * sizeof(T))); }
  void deallocate(T* /*memory*/, size_t /*count*/) {}  // Goes with the table.
  TableMemory* memory() const { return memory_; }
  friend bool operator==(const TableAllocator& a, const TableAllocator& b) {
    return a.memory_ == b.memory_;
  }

 private:
  TableMemory* memory_;
};

using Bucket = absl::btree_set<Entry, EntryLess, TableAllocator<Entry>>;
// Names stand in the keys of entries.
using Buckets = absl::btree_map<std::string_view, Bucket*, std::less<>,
                                TableAllocator<std::pair<const std::string_view, Bucket*>>>;

// Entries that follow each other, copied from the table: so an iterator need not care what is
// written meanwhile. The longer a walk, the more are copied at once.
class Window {
 public:
  size_t size() const { return size_; }
  const char* at(size_t i) const { return packed_[i]; }
  const char* front() const { return packed_[0]; }
  const char* back() const { return packed_[size_ - 1]; }
  bool full() const { return size_ == room_; }

  void Restart(bool goes_on) {
    size_ = 0;
    room_ = goes_on ? kMost : kFirst;
  }
  void Add(const char* packed) {
    __builtin_prefetch(packed);  // Soon read, and nowhere near the one before.
    packed_[size_++] = packed;
  }
  void Reverse() { std::reverse(packed_.begin(), packed_.begin() + static_cast<ptrdiff_t>(size_)); }

 private:
  static constexpr size_t kFirst = 4;
  static constexpr size_t kMost = 32;
  std::array<const char*, kMost> packed_;
  size_t size_ = 0;
  size_t room_ = kFirst;
};

// Memory for iterators that RocksDB wants in an arena: it destroys them without freeing them.
class IteratorSlots {
 public:
  static constexpr size_t kBytes = 384;

  void* Take() {
    MutexLock lock(&mutex_);
    if (free_.empty()) return slots_.emplace_back().bytes.data();
    void* slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void GiveBack(void* slot) {
    MutexLock lock(&mutex_);
    free_.push_back(slot);
  }

 private:
  struct Slot {
    alignas(std::max_align_t) std::array<char, kBytes> bytes;
  };
  Mutex mutex_;
  std::deque<Slot> slots_ ABSL_GUARDED_BY(mutex_);
  std::vector<void*> free_ ABSL_GUARDED_BY(mutex_);
};

class BucketMemTable final : public rocksdb::MemTableRep, private TableMemory {
 public:
  BucketMemTable(const KeyComparator& compare, rocksdb::Allocator* allocator,
                 BucketBytes bucket_bytes)
      : MemTableRep(allocator),
        compare_(compare),
        bucket_bytes_(bucket_bytes),
        buckets_(TableAllocator<Buckets::value_type>(this)) {}

  void Insert(rocksdb::KeyHandle handle) override {
    const auto* packed = static_cast<const char*>(handle);
    const std::string_view key = UserKeyOf(compare_.decode_key(packed));
    const size_t name_bytes = bucket_bytes_(key);
    MutexLock lock(&mutex_);
    Bucket& bucket = BucketNamed(key.substr(0, name_bytes));
    // Where the latest come first, this is their place.
    bucket.insert(bucket.begin(), Entry{OrderOf(key, name_bytes), packed});
  }

  bool Contains(const char* packed) const override {
    const Slice internal_key = compare_.decode_key(packed);
    Window window;
    FillFrom(internal_key, &window);
    return window.size() > 0 && compare_(window.front(), internal_key) == 0;
  }

  size_t ApproximateMemoryUsage() override {
    constexpr size_t kHashed = 64;  // What the hash table takes for a bucket.
    return bucket_count_.load(std::memory_order_relaxed) * kHashed;
  }

  void Get(const rocksdb::LookupKey& key, void* arguments,
           bool (*take)(void* arguments, const char* packed)) override;
  Iterator* GetIterator(rocksdb::Arena* arena) override;
  Iterator* GetDynamicPrefixIterator(rocksdb::Arena* arena) override;

  // Each fills a window with entries, in their order: from the first that is at the target or
  // behind it; up to the last that is at the target or before it; behind an entry; before one; the
  // first; the last. What is there when the call begins is found.
  void FillFrom(const Slice& target, Window* window) const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    window->Restart(/*goes_on=*/false);
    Forwards(LowerBound(target), window);
  }
  void FillUpTo(const Slice& target, Window* window) const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    window->Restart(/*goes_on=*/false);
    Position position = LowerBound(target);
    const bool taken =
        position.bucket != buckets_.end() && compare_(position.entry->packed, target) == 0;
    Backwards(taken ? Next(position) : position, window);
  }
  void FillBehind(const char* packed, Window* window) const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    window->Restart(/*goes_on=*/true);
    Forwards(Next(LowerBound(compare_.decode_key(packed))), window);
  }
  void FillBefore(const char* packed, Window* window) const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    window->Restart(/*goes_on=*/true);
    Backwards(LowerBound(compare_.decode_key(packed)), window);
  }
  void FillFirst(Window* window) const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    window->Restart(/*goes_on=*/false);
    Forwards(FirstOf(buckets_.begin()), window);
  }
  void FillLast(Window* window) const ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    window->Restart(/*goes_on=*/false);
    Backwards(End(), window);
  }

 private:
  // An entry, or End(). Buckets are never empty.
  struct Position {
    Buckets::const_iterator bucket;
    Bucket::const_iterator entry;
  };

  void* Take(size_t bytes) override {
    constexpr size_t kAlign = alignof(std::max_align_t);
    char* memory = nullptr;
    MemTableRep::Allocate(bytes + kAlign - 1, &memory);
    const auto address = reinterpret_cast<uintptr_t>(memory);
    return memory + ((kAlign - address % kAlign) % kAlign);
  }

  Bucket& BucketNamed(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    auto [found, added] = by_name_.try_emplace(name, nullptr);
    if (added) {
      // Never destroyed: all of its memory is the table's.
      found->second =
          new (Take(sizeof(Bucket))) Bucket(EntryLess{&compare_}, TableAllocator<Entry>(this));
      buckets_.try_emplace(name, found->second);
      bucket_count_.fetch_add(1, std::memory_order_relaxed);
    }
    return *found->second;
  }

  Position End() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return {buckets_.end(), {}}; }
  Position FirstOf(Buckets::const_iterator bucket) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return bucket == buckets_.end() ? End() : Position{bucket, bucket->second->begin()};
  }
  Position Next(Position position) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (++position.entry != position.bucket->second->end()) return position;
    return FirstOf(std::next(position.bucket));
  }
  // The first entry at the key or behind it.
  Position LowerBound(const Slice& internal_key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::string_view key = UserKeyOf(internal_key);
    const auto behind = buckets_.upper_bound(key);
    if (behind == buckets_.begin()) return FirstOf(behind);
    const auto bucket = std::prev(behind);
    if (!key.starts_with(bucket->first)) return FirstOf(behind);
    const auto entry =
        bucket->second->lower_bound(Place{OrderOf(key, bucket->first.size()), internal_key});
    return entry == bucket->second->end() ? FirstOf(behind) : Position{bucket, entry};
  }

  void Forwards(Position position, Window* window) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (position.bucket != buckets_.end() && !window->full()) {
      window->Add(position.entry->packed);
      position = Next(position);
    }
  }
  // What stands before the position.
  void Backwards(Position position, Window* window) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    while (!window->full()) {
      if (position.bucket == buckets_.end() || position.entry == position.bucket->second->begin()) {
        if (position.bucket == buckets_.begin()) break;
        --position.bucket;
        position.entry = position.bucket->second->end();
      }
      --position.entry;
      window->Add(position.entry->packed);
    }
    window->Reverse();
  }

  const KeyComparator& compare_;
  const BucketBytes bucket_bytes_;
  IteratorSlots slots_;
  std::atomic<size_t> bucket_count_{0};
  mutable Mutex mutex_;
  Buckets buckets_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string_view, Bucket*> by_name_ ABSL_GUARDED_BY(mutex_);
};

class BucketIterator : public rocksdb::MemTableRep::Iterator {
 public:
  BucketIterator(const BucketMemTable& table, const KeyComparator& compare)
      : table_(table), compare_(compare) {}

  bool Valid() const override { return at_ < window_.size(); }
  const char* key() const override { return window_.at(at_); }
  void Next() override {
    if (++at_ < window_.size()) return;
    table_.FillBehind(window_.back(), &window_);
    at_ = 0;
  }
  void Prev() override {
    if (at_ > 0) {
      --at_;
      return;
    }
    table_.FillBefore(window_.front(), &window_);
    ToLast();
  }
  void Seek(const Slice& internal_key, const char* packed) override {
    table_.FillFrom(packed != nullptr ? compare_.decode_key(packed) : internal_key, &window_);
    at_ = 0;
  }
  void SeekForPrev(const Slice& internal_key, const char* packed) override {
    table_.FillUpTo(packed != nullptr ? compare_.decode_key(packed) : internal_key, &window_);
    ToLast();
  }
  void SeekToFirst() override {
    table_.FillFirst(&window_);
    at_ = 0;
  }
  void SeekToLast() override {
    table_.FillLast(&window_);
    ToLast();
  }

 private:
  void ToLast() { at_ = window_.size() == 0 ? 0 : window_.size() - 1; }

  const BucketMemTable& table_;
  const KeyComparator& compare_;
  Window window_;
  size_t at_ = 0;
};

// The part of an iterator that is destroyed last: gives its memory back.
class SlotHolder {
 public:
  SlotHolder(IteratorSlots* slots, void* slot) : slots_(slots), slot_(slot) {}
  ~SlotHolder() { slots_->GiveBack(slot_); }
  SlotHolder(const SlotHolder&) = delete;
  SlotHolder& operator=(const SlotHolder&) = delete;

 private:
  IteratorSlots* const slots_;
  void* const slot_;
};

class SlotIterator final : private SlotHolder, public BucketIterator {
 public:
  SlotIterator(IteratorSlots* slots, void* slot, const BucketMemTable& table,
               const KeyComparator& compare)
      : SlotHolder(slots, slot), BucketIterator(table, compare) {}
};
static_assert(sizeof(SlotIterator) <= IteratorSlots::kBytes);

rocksdb::MemTableRep::Iterator* BucketMemTable::GetIterator(rocksdb::Arena* arena) {
  if (arena == nullptr) return new BucketIterator(*this, compare_);
  void* slot = slots_.Take();
  return new (slot) SlotIterator(&slots_, slot, *this, compare_);
}

// The iterator of the Get that runs on this thread.
thread_local BucketIterator* lent_iterator = nullptr;

// RocksDB's Get asks for an iterator and never gives it back: it gets one that lives here.
void BucketMemTable::Get(const rocksdb::LookupKey& key, void* arguments,
                         bool (*take)(void* arguments, const char* packed)) {
  BucketIterator iterator(*this, compare_);
  lent_iterator = &iterator;
  MemTableRep::Get(key, arguments, take);
  lent_iterator = nullptr;
}

rocksdb::MemTableRep::Iterator* BucketMemTable::GetDynamicPrefixIterator(rocksdb::Arena* arena) {
  if (lent_iterator != nullptr) return std::exchange(lent_iterator, nullptr);
  return GetIterator(arena);
}

class BucketMemTableFactory final : public rocksdb::MemTableRepFactory {
 public:
  explicit BucketMemTableFactory(BucketBytes bucket_bytes) : bucket_bytes_(bucket_bytes) {}

  using MemTableRepFactory::CreateMemTableRep;
  rocksdb::MemTableRep* CreateMemTableRep(const KeyComparator& compare,
                                          rocksdb::Allocator* allocator,
                                          const rocksdb::SliceTransform* /*prefixes*/,
                                          rocksdb::Logger* /*logger*/) override {
    return new BucketMemTable(compare, allocator, bucket_bytes_);
  }
  const char* Name() const override { return "assay.BucketMemTable"; }

 private:
  const BucketBytes bucket_bytes_;
};

}  // namespace

std::shared_ptr<rocksdb::MemTableRepFactory> NewBucketMemTableFactory(BucketBytes bucket_bytes) {
  return std::make_shared<BucketMemTableFactory>(bucket_bytes);
}

}  // namespace assay::rocks
