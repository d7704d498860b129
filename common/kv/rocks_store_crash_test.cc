// Kills a process in the middle of its commits. This binary is both: with a directory in the
// environment it is the writer, without it the test that starts, kills and inspects the writer.
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/kv/counter.h"
#include "common/kv/rocks_store.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

extern char** environ;

namespace assay::kv {
namespace {

constexpr char kDirectoryVariable[] = "ASSAY_CRASH_TEST_DIRECTORY";
constexpr char kFirstVariable[] = "ASSAY_CRASH_TEST_FIRST";
constexpr int kAcknowledgements = 1;  // file descriptor: the writer's standard output

absl::StatusOr<std::unique_ptr<Store>> OpenAt(const std::string& path, Executor& executor) {
  RocksStoreOptions options;
  options.path = path;
  options.store_name = "crash";
  return OpenRocksStore(std::move(options), executor, SystemClock());
}

std::string KeyOf(uint64_t i) { return absl::StrFormat("key%010d", i); }

// Commits without end, several at a time, and says which are acknowledged, until it is killed.
int Write(const std::string& path, uint64_t first) {
  ThreadPool pool("writer", 2);
  auto store = OpenAt(path, pool);
  if (!store.ok()) return 1;
  for (uint64_t i = first;; ++i) {
    Batch batch;
    batch.Put(KeyOf(i), std::string(200, 'x'));
    batch.Add("count", 1);
    const auto acknowledge = [i](absl::Status status) {
      if (status.ok() && ::write(kAcknowledgements, &i, sizeof(i)) != sizeof(i)) ::_exit(2);
    };
    // Waiting now and then keeps the queue short.
    if (i % 8 == 7) {
      acknowledge((*store)->CommitAndWait(std::move(batch)));
    } else {
      (*store)->Commit(std::move(batch), acknowledge);
    }
  }
}

// Starts a writer, kills it after `count` acknowledgements, and returns all that it gave.
std::vector<uint64_t> RunAndKill(const std::string& path, uint64_t first, size_t count) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  ::setenv(kDirectoryVariable, path.c_str(), 1);
  ::setenv(kFirstVariable, std::to_string(first).c_str(), 1);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], kAcknowledgements);
  posix_spawn_file_actions_addclose(&actions, ends[0]);
  char program[] = "/proc/self/exe";
  char* arguments[] = {program, nullptr};
  pid_t writer = 0;
  EXPECT_EQ(::posix_spawn(&writer, program, &actions, nullptr, arguments, environ), 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::vector<uint64_t> acknowledged;
  uint64_t i = 0;
  while (::read(ends[0], &i, sizeof(i)) == sizeof(i)) {
    acknowledged.push_back(i);
    if (acknowledged.size() == count) ::kill(writer, SIGKILL);
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(writer, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << status;
  return acknowledged;
}

TEST(RocksStoreCrashTest, KeepsAllThatWasAcknowledgedAndRecoversAPrefix) {
  const std::string path = testing::TempDir() + "/crash";
  uint64_t first = 0;
  for (const size_t kill_after : {1, 60, 300}) {
    const std::vector<uint64_t> acknowledged = RunAndKill(path, first, kill_after);
    ASSERT_GE(acknowledged.size(), kill_after);
    ThreadPool pool("reader", 1);
    ASSAY_ASSERT_OK_AND_ASSIGN(const auto store, OpenAt(path, pool));
    for (const uint64_t i : acknowledged) {
      ASSERT_THAT(store->Get(KeyOf(i)), IsOkAndHolds(testing::Ne(std::nullopt))) << i;
    }
    ASSAY_ASSERT_OK_AND_ASSIGN(const auto entries, store->Scan({.begin = "key", .limit = 50000}));
    for (size_t i = 0; i < entries.size(); ++i) ASSERT_EQ(entries[i].key, KeyOf(i));
    EXPECT_THAT(
        store->Get("count"),
        IsOkAndHolds(testing::Optional(EncodeCounter(static_cast<int64_t>(entries.size())))));
    first = entries.size();
  }
}

}  // namespace
}  // namespace assay::kv

int main(int argc, char** argv) {
  using namespace assay::kv;  // NOLINT: the names of this file
  if (const char* path = ::getenv(kDirectoryVariable); path != nullptr) {
    return Write(path, std::stoull(::getenv(kFirstVariable)));
  }
  testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
