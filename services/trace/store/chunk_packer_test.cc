#include "services/trace/store/chunk_packer.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/exec/executor.h"
#include "common/otlp/wire_cursor.h"
#include "common/rocks/scan.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/trace/store/chunk_codec.h"
#include "services/trace/store/lifecycle_store.h"
#include "services/trace/store/rocks_trace_store.h"
#include "services/trace/testing/memory_trace_store.h"
#include "services/trace/testing/trace_store_conformance.h"

namespace assay::trace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(TraceStoreConformance);

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class ChunkPackerTest : public testing::Test {
 protected:
  ~ChunkPackerTest() override { executor_.Shutdown(); }

  // A trace whose chunk says much twice.
  void Append(RocksTraceStore& store, uint8_t trace) {
    TraceChunk chunk = TestChunk(trace, "e", 100 + trace);
    otlp::AppendBytesField(15, Text(trace), &chunk.otlp);  // A field that OTLP does not have.
    std::vector<TraceChunk> chunks;
    chunks.push_back(std::move(chunk));
    EXPECT_OK(AppendAndWait(store, std::move(chunks)));
  }
  static std::string Text(uint8_t trace) {
    std::string text;
    for (int i = 0; i < 3000; ++i) {
      text += "gen_ai.request.model " + std::to_string(i * i * trace % 9973);
    }
    return text;
  }
  std::map<std::string, std::string> All(keys::Family family, const std::string& prefix = "") {
    std::map<std::string, std::string> found;
    EXPECT_OK(rocks::Scan(db_.db(), family, {.begin = prefix, .end = "", .limit = 10'000},
                          [&](std::string_view key, std::string_view value) {
                            if (key.starts_with(prefix)) found.emplace(key, value);
                            return rocks::ScanStep::Next();
                          }));
    return found;
  }
  size_t HastyEntries() { return All(keys::kMeta, keys::HastyPrefix()).size(); }
  // What the chunks of all traces take.
  size_t ChunkBytes() {
    size_t bytes = 0;
    for (const auto& [key, value] : All(keys::kChunks)) bytes += value.size();
    return bytes;
  }
  std::vector<std::string> Unfolded() {
    std::vector<std::string> texts;
    for (const auto& [key, value] : All(keys::kChunks)) {
      std::string scratch;
      absl::StatusOr<std::string_view> otlp = DecodeChunk(value, &scratch);
      EXPECT_OK(otlp);
      if (otlp.ok()) texts.emplace_back(*otlp);
    }
    return texts;
  }
  void Delete(uint8_t trace) {
    Awaited<std::string> answer;
    lives_.DeleteTraces(
        "e", {TestTrace(trace)}, {}, [](const DeletedTraces&) { return ""; }, answer.done());
    EXPECT_OK(answer.Get());
  }

  ThreadPool executor_{"test", 2};
  FakeClock clock_{absl::FromUnixSeconds(1'000'000)};
  MemoryTraceDb db_{executor_, clock_};
  RocksTraceStore hasty_{db_, {.codec = ChunkCodec::kLz4}};
  RocksTraceStore calm_{db_, {.codec = ChunkCodec::kZstdAiSpans}};
  RocksLifecycleStore lives_{db_};
  ChunkPacker packer_{db_, [this] { return hasty_.hasty_bytes(); }, {.step_bytes = 1}};
};

TEST_F(ChunkPackerTest, PacksHastyChunksAgainAndKeepsWhatTheySay) {
  Append(hasty_, 1);
  Append(calm_, 2);
  Append(hasty_, 3);
  EXPECT_GT(hasty_.hasty_bytes(), 0);
  EXPECT_EQ(calm_.hasty_bytes(), 0);
  EXPECT_EQ(HastyEntries(), 2u);
  const std::vector<std::string> texts = Unfolded();
  const auto keys_before = All(keys::kChunks);
  const size_t bytes = ChunkBytes();
  int steps = 0;
  while (*packer_.Step() > 0) ++steps;
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(HastyEntries(), 0u);
  EXPECT_EQ(Unfolded(), texts);
  EXPECT_LT(ChunkBytes(), bytes);
  const auto keys_after = All(keys::kChunks);
  ASSERT_EQ(keys_after.size(), keys_before.size());
  for (const auto& [key, value] : keys_after) EXPECT_TRUE(keys_before.contains(key));
  ASSERT_OK(packer_.Reclaim());
  EXPECT_EQ(Unfolded(), texts);
  EXPECT_THAT(packer_.Step(), IsOkAndHolds(0));
}

TEST_F(ChunkPackerTest, BringsTheRoomBackThatHastyChunksTookBesideOthers) {
  for (uint8_t trace = 1; trace <= 8; ++trace) Append(trace == 3 ? calm_ : hasty_, trace);
  ASSERT_OK(db_.db().CompactFamily(keys::kChunks));
  const auto bytes_of_files = [this] {
    uint64_t bytes = 0;
    db_.db().raw().GetIntProperty(db_.family(keys::kChunks),
                                  rocksdb::DB::Properties::kLiveBlobFileSize, &bytes);
    return bytes;
  };
  const uint64_t before = bytes_of_files();
  const std::vector<std::string> texts = Unfolded();
  while (*packer_.Step() > 0) {
  }
  ASSERT_OK(packer_.Reclaim());
  EXPECT_LT(bytes_of_files(), before * 2 / 3);
  EXPECT_EQ(Unfolded(), texts);
}

TEST_F(ChunkPackerTest, LeavesWhatWasDeletedMeanwhile) {
  Append(hasty_, 1);
  Append(hasty_, 2);
  Delete(1);
  while (*packer_.Step() > 0) {
  }
  EXPECT_EQ(HastyEntries(), 0u);
  EXPECT_EQ(All(keys::kChunks).size(), 1u);
}

TEST_F(ChunkPackerTest, TriesAgainWhatCouldNotBeWritten) {
  Append(hasty_, 1);
  const size_t bytes = ChunkBytes();
  db_.FailWritesWith(absl::UnavailableError("full"));
  EXPECT_THAT(packer_.Step(), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(HastyEntries(), 1u);
  db_.FailWritesWith(absl::OkStatus());
  EXPECT_OK(packer_.Step());
  EXPECT_EQ(HastyEntries(), 0u);
  EXPECT_LT(ChunkBytes(), bytes);
}

TEST_F(ChunkPackerTest, PacksByItselfWhenTheStoreIsQuiet) {
  Append(hasty_, 1);
  ChunkPacker packer(db_, [this] { return hasty_.hasty_bytes(); },
                     {.look_every = absl::Milliseconds(1)});
  packer.Start();
  while (HastyEntries() > 0) std::this_thread::yield();
  packer.Stop();
}

}  // namespace
}  // namespace assay::trace
