// A file system that fails on demand and knows what a loss of power would leave. For tests of
// stores:
//
//   FaultyFileSystem files;
//   options.env = files.env();
//   files.SetFull(true);                     // writes fail half-way with "no space"
//   files.CopyWhatIsSynced(path, copy);      // open `copy` as after a crash of the machine
#ifndef ASSAY_COMMON_ROCKS_TESTING_FAULTY_FILE_SYSTEM_H_
#define ASSAY_COMMON_ROCKS_TESTING_FAULTY_FILE_SYSTEM_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "common/sync/mutex.h"
#include "rocksdb/env.h"

namespace assay::rocks {

// Thread-safe. Outlives every store that uses its env.
class FaultyFileSystem {
 public:
  FaultyFileSystem();
  ~FaultyFileSystem();

  rocksdb::Env* env() const { return env_.get(); }

  // While full, an append writes the first half of its data and fails.
  void SetFull(bool full);

  // Copies the files of directory `from`, each up to what was synced, into `to`, which is created.
  // Returns false if a file cannot be copied. (New directory entries count as synced.)
  bool CopyWhatIsSynced(const std::string& from, const std::string& to);

 private:
  friend class FaultyFile;
  class Wrapper;

  bool full() const;
  void NoteSynced(const std::string& path, uint64_t size);
  void NoteRenamed(const std::string& from, const std::string& to);

  mutable Mutex mutex_;
  bool full_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, uint64_t> synced_ ABSL_GUARDED_BY(mutex_);  // bytes by path
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace assay::rocks

#endif  // ASSAY_COMMON_ROCKS_TESTING_FAULTY_FILE_SYSTEM_H_
