// What the way of spans into the store costs, without the network: CPU of the whole process for
// each span, compactions included. `ingest_benchmark DIRECTORY [BATCHES [THREADS [FILE [IN_FLIGHT]]]]`; the file
// holds requests to send instead, each after its length (tests/load/record_support_traces.py).
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/sync/mutex.h"
#include "services/trace/core/ingestor.h"
#include "services/trace/store/chunk_packer.h"
#include "services/trace/store/rocks_trace_store.h"
#include "services/trace/store/trace_db.h"
#include "tests/load/otlp_batches.h"

namespace assay::trace {
namespace {

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Bytes of a store's files.
int64_t SizeOf(const std::string& directory) {
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    // The log is another copy of the last that was written.
    const bool counts = entry.is_regular_file() && entry.path().extension() != ".log";
    if (counts) bytes += static_cast<int64_t>(entry.file_size());
  }
  return bytes;
}

// Brings everything into files and compacts it.
bool CompactAll(TraceDb& db) {
  for (int family = 0; family < keys::kFamilies; ++family) {
    if (!db.db().CompactFamily(family).ok()) return false;
  }
  return true;
}

// What each family takes, as shares of the bytes received.
void PrintFamilies(const TraceDb& db, double received) {
  for (int family = 0; family < keys::kFamilies; ++family) {
    rocksdb::ColumnFamilyHandle* handle = db.db().family(family);
    using Properties = rocksdb::DB::Properties;
    uint64_t tree = 0;
    uint64_t blobs = 0;
    db.db().raw().GetIntProperty(handle, Properties::kLiveSstFilesSize, &tree);
    db.db().raw().GetIntProperty(handle, Properties::kLiveBlobFileSize, &blobs);
    std::printf("  %-12s %.4f in the tree, %.4f in blob files\n", handle->GetName().c_str(),
                static_cast<double>(tree) / received, static_cast<double>(blobs) / received);
  }
}

// Packs what came in haste, until nothing is left; the answer is the CPU time that took.
double PackAll(TraceDb& db, const RocksTraceStore& store) {
  const double before = CpuSeconds();
  ChunkPacker packer(db, [&store] { return store.hasty_bytes(); });
  absl::StatusOr<int64_t> bytes;
  do {
    bytes = packer.Step();
  } while (bytes.ok() && *bytes > 0);
  if (!bytes.ok() || !packer.Reclaim().ok()) std::fprintf(stderr, "packing failed\n");
  return CpuSeconds() - before;
}

// Lets so many requests be on their way.
class Window {
 public:
  explicit Window(int size) : free_(size) {}
  void Enter() {
    MutexLock lock(&mutex_);
    while (free_ == 0) left_.Wait(&mutex_);
    --free_;
  }
  void Leave() {
    MutexLock lock(&mutex_);
    ++free_;
    left_.Signal();
  }

 private:
  Mutex mutex_;
  CondVar left_;
  int free_ ABSL_GUARDED_BY(mutex_);
};

// Requests of a file, each after its length in four bytes, the lowest first.
std::vector<std::string> ReadRequests(const char* path) {
  std::vector<std::string> requests;
  std::ifstream file(path, std::ios::binary);
  uint32_t size = 0;
  while (file.read(reinterpret_cast<char*>(&size), sizeof(size))) {
    std::string& request = requests.emplace_back(size, '\0');
    file.read(request.data(), size);
  }
  return requests;
}

int Run(const std::string& directory, int batches, int threads, const char* path, int in_flight) {
  ThreadPool executor("trace", threads);
  absl::StatusOr<std::unique_ptr<TraceDb>> db =
      TraceDb::Open({.path = directory}, executor, SystemClock());
  if (!db.ok()) {
    std::fprintf(stderr, "%s\n", db.status().ToString().c_str());
    return 1;
  }
  RocksTraceStore store(**db);
  Ingestor ingestor(store, executor, {}, nullptr);
  const load::OtlpBatches source;
  const std::vector<std::string> recorded =
      path != nullptr ? ReadRequests(path) : std::vector<std::string>();
  if (!recorded.empty()) batches = static_cast<int>(recorded.size());
  std::vector<std::string> bodies;
  int64_t bytes = 0;
  Window window(in_flight);
  Mutex mutex;
  std::vector<double> waits;
  int failures = 0;
  int64_t accepted = 0;
  double spent = 0;
  constexpr int kPrepared = 500;
  const absl::Time begin = absl::Now();
  for (int done = 0; done < batches; done += kPrepared) {
    bodies.clear();
    for (int i = done; i < std::min(batches, done + kPrepared); ++i) {
      const auto number = static_cast<size_t>(i);
      bodies.push_back(recorded.empty() ? source.Batch(number) : recorded[number]);
      bytes += static_cast<int64_t>(bodies.back().size());
    }
    const double before = CpuSeconds();
    for (std::string& body : bodies) {
      window.Enter();
      executor.Run([&, body = std::move(body)]() mutable {
        const absl::Time sent = absl::Now();
        ingestor.Export({.body = std::move(body)}, [&, sent](absl::StatusOr<IngestResult> result) {
          {
            MutexLock lock(&mutex);
            waits.push_back(absl::ToDoubleMilliseconds(absl::Now() - sent));
            if (!result.ok() || result->rejected != 0) ++failures;
            if (result.ok()) accepted += result->accepted;
          }
          window.Leave();
        });
      });
    }
    for (int i = 0; i < in_flight; ++i) window.Enter();
    for (int i = 0; i < in_flight; ++i) window.Leave();
    spent += CpuSeconds() - before;
  }
  const double seconds = absl::ToDoubleSeconds(absl::Now() - begin);
  const double spans = recorded.empty() ? static_cast<double>(batches) * load::kSpansPerBatch
                                        : static_cast<double>(accepted);
  std::sort(waits.begin(), waits.end());
  std::printf("%.2f us of CPU a span, %.0f spans/s, p50 %.1f ms, p99 %.1f ms, %d failures\n",
              spent * 1e6 / spans, spans / seconds, waits[waits.size() / 2],
              waits[waits.size() * 99 / 100], failures);
  const auto received = static_cast<double>(bytes);
  const auto share = [&] { return static_cast<double>(SizeOf(directory)) / received; };
  std::printf("%.2f of the bytes received on disk; %.2f of them packed in haste\n", share(),
              static_cast<double>(store.hasty_bytes()) / received);
  const double packing = PackAll(**db, store);
  std::printf("%.2f us more for packing those again; %.2f on disk\n", packing * 1e6 / spans,
              share());
  const double more = CpuSeconds();
  if (!CompactAll(**db)) return 1;
  std::printf("%.2f us more for a full compaction; %.2f on disk, of it\n",
              (CpuSeconds() - more) * 1e6 / spans, share());
  PrintFamilies(**db, received);
  executor.Shutdown();
  return 0;
}

}  // namespace
}  // namespace assay::trace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: ingest_benchmark DIRECTORY [BATCHES [THREADS [FILE [IN_FLIGHT]]]]\n");
    return 2;
  }
  return assay::trace::Run(argv[1], argc > 2 ? std::atoi(argv[2]) : 2000,
                           argc > 3 ? std::atoi(argv[3]) : 4, argc > 4 ? argv[4] : nullptr,
                           argc > 5 ? std::atoi(argv[5]) : 16);
}
