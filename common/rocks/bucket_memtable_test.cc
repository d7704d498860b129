#include "common/rocks/bucket_memtable.h"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rocksdb/db.h"
#include "rocksdb/merge_operator.h"

namespace assay::rocks {
namespace {

// Keys of "a...": buckets of three bytes; of "b...": all but the last two; of others: one.
size_t BucketBytesOf(std::string_view key) {
  if (key.empty()) return 0;
  if (key[0] == 'a') return std::min<size_t>(key.size(), 3);
  if (key[0] == 'b' && key.size() > 3) return key.size() - 2;
  return 1;
}

// Keys that every kind of bucket has, and no bucket named by the beginning of another.
std::string RandomKey(std::mt19937_64& random) {
  auto letters = [&](size_t count) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text.push_back(static_cast<char>('p' + random() % 4));
    return text;
  };
  switch (random() % 3) {
    case 0:
      return "a" + letters(2) + letters(random() % 12);
    case 1:
      return "b" + letters(2) + std::string("\0", 1) + letters(2);
    default:
      return "c" + letters(1 + random() % 12);
  }
}

class Joins final : public rocksdb::AssociativeMergeOperator {
 public:
  bool Merge(const rocksdb::Slice&, const rocksdb::Slice* existing, const rocksdb::Slice& value,
             std::string* out, rocksdb::Logger*) const override {
    *out = (existing != nullptr ? existing->ToString() + "," : "") + value.ToString();
    return true;
  }
  const char* Name() const override { return "Joins"; }
};

// Two families that are told the same: one in buckets, one in RocksDB's own memtable.
class BucketMemTableTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/bucket_memtable_" +
            testing::UnitTest::GetInstance()->current_test_info()->name();
    rocksdb::DestroyDB(path_, {}).PermitUncheckedError();
    Open();
  }
  void TearDown() override { Close(); }

  void Open() {
    rocksdb::DBOptions options;
    options.create_if_missing = true;
    options.create_missing_column_families = true;
    options.allow_concurrent_memtable_write = false;
    rocksdb::ColumnFamilyOptions plain;
    plain.merge_operator = std::make_shared<Joins>();
    rocksdb::ColumnFamilyOptions buckets = plain;
    buckets.memtable_factory = NewBucketMemTableFactory(&BucketBytesOf);
    rocksdb::DB* db = nullptr;
    const rocksdb::Status opened = rocksdb::DB::Open(
        options, path_, {{"default", plain}, {"buckets", buckets}}, &handles_, &db);
    ASSERT_TRUE(opened.ok()) << opened.ToString();
    db_.reset(db);
  }
  void Close() {
    for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
    handles_.clear();
    db_.reset();
  }

  void WriteRandomly(std::mt19937_64& random, int count) {
    rocksdb::WriteBatch batch;
    for (int i = 0; i < count; ++i) {
      const std::string key = RandomKey(random);
      const std::string value = std::to_string(random());
      const auto kind = random() % 8;
      for (auto* family : handles_) {
        if (kind == 0) {
          batch.Delete(family, key);
        } else if (kind == 1) {
          batch.Merge(family, key, value);
        } else {
          batch.Put(family, key, value);
        }
      }
    }
    ASSERT_TRUE(db_->Write({}, &batch).ok());
  }

  using Iterator = std::unique_ptr<rocksdb::Iterator>;
  Iterator Walk(size_t family, const rocksdb::Snapshot* snapshot = nullptr) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    return Iterator(db_->NewIterator(options, handles_[family]));
  }
  static void ExpectSame(const Iterator& a, const Iterator& b) {
    ASSERT_EQ(a->Valid(), b->Valid());
    if (!a->Valid()) return;
    ASSERT_EQ(a->key().ToString(), b->key().ToString());
    ASSERT_EQ(a->value().ToString(), b->value().ToString());
  }
  void ExpectSameWalks(const rocksdb::Snapshot* snapshot = nullptr) {
    Iterator a = Walk(0, snapshot);
    Iterator b = Walk(1, snapshot);
    for (a->SeekToFirst(), b->SeekToFirst(); a->Valid(); a->Next(), b->Next()) ExpectSame(a, b);
    EXPECT_FALSE(b->Valid());
    for (a->SeekToLast(), b->SeekToLast(); a->Valid(); a->Prev(), b->Prev()) ExpectSame(a, b);
    EXPECT_FALSE(b->Valid());
  }

  std::string path_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
};

TEST_F(BucketMemTableTest, ReadsAsRocksDbsOwnDoes) {
  std::mt19937_64 random(1);
  ExpectSameWalks();
  for (int round = 0; round < 20; ++round) {
    WriteRandomly(random, 100);
    ExpectSameWalks();
    for (int i = 0; i < 200; ++i) {
      const std::string key = RandomKey(random).substr(0, random() % 14);
      std::string a;
      std::string b;
      const rocksdb::Status found = db_->Get({}, handles_[0], key, &a);
      ASSERT_EQ(found.code(), db_->Get({}, handles_[1], key, &b).code()) << key;
      ASSERT_EQ(a, b) << key;
    }
  }
}

TEST_F(BucketMemTableTest, SeeksInBothDirectionsAndTurnsRound) {
  std::mt19937_64 random(2);
  WriteRandomly(random, 3000);
  Iterator a = Walk(0);
  Iterator b = Walk(1);
  for (int i = 0; i < 2000; ++i) {
    const std::string target = RandomKey(random).substr(0, random() % 14);
    if (random() % 2 == 0) {
      a->Seek(target);
      b->Seek(target);
    } else {
      a->SeekForPrev(target);
      b->SeekForPrev(target);
    }
    ExpectSame(a, b);
    for (int step = 0; step < 60 && a->Valid() && b->Valid(); ++step) {
      if (random() % 3 == 0) {
        a->Prev();
        b->Prev();
      } else {
        a->Next();
        b->Next();
      }
      ExpectSame(a, b);
    }
  }
}

TEST_F(BucketMemTableTest, KeepsTheStateOfASnapshot) {
  std::mt19937_64 random(3);
  WriteRandomly(random, 1000);
  const rocksdb::Snapshot* snapshot = db_->GetSnapshot();
  WriteRandomly(random, 1000);
  ExpectSameWalks(snapshot);
  ExpectSameWalks();
  db_->ReleaseSnapshot(snapshot);
}

TEST_F(BucketMemTableTest, OutlivesFlushesAndTheProcess) {
  std::mt19937_64 random(4);
  WriteRandomly(random, 1000);
  ASSERT_TRUE(db_->Flush({}, handles_).ok());
  WriteRandomly(random, 1000);
  ExpectSameWalks();
  Close();
  Open();
  ExpectSameWalks();
}

TEST_F(BucketMemTableTest, ReadersSeeWhatWasWrittenBeforeThemWhileOthersWrite) {
  std::atomic<uint64_t> written{0};
  std::atomic<bool> done{false};
  auto key_of = [](uint64_t i) {
    std::string key = "a" + std::to_string(10 + (i * 7919) % 90);
    return key + std::to_string(1'000'000 + (i * 104729) % 899'981);
  };
  std::thread writer([&] {
    for (uint64_t i = 0; i < 20'000; ++i) {
      ASSERT_TRUE(db_->Put({}, handles_[1], key_of(i), "v").ok());
      written.store(i + 1);
    }
    done.store(true);
  });
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 2; ++reader) {
    readers.emplace_back([&, reader] {
      while (!done.load()) {
        const uint64_t before = written.load();
        Iterator walk = Walk(1);
        uint64_t seen = 0;
        std::string last;
        for (reader == 0 ? walk->SeekToFirst() : walk->SeekToLast(); walk->Valid();
             reader == 0 ? walk->Next() : walk->Prev()) {
          const std::string key = walk->key().ToString();
          if (seen > 0) {
            ASSERT_TRUE(reader == 0 ? last < key : key < last);
          }
          ++seen;
          last = key;
        }
        ASSERT_GE(seen, before);
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
}

}  // namespace
}  // namespace assay::rocks
