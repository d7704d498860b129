#include "common/rocks/testing/faulty_file_system.h"

#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "rocksdb/file_system.h"

namespace assay::rocks {

using rocksdb::FileOptions;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

class FaultyFile final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  FaultyFile(FaultyFileSystem& files, std::string path, std::unique_ptr<FSWritableFile> file)
      : FSWritableFileOwnerWrapper(std::move(file)), files_(files), path_(std::move(path)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    if (!files_.full()) return FSWritableFileOwnerWrapper::Append(data, options, debug);
    const Slice half(data.data(), data.size() / 2);
    FSWritableFileOwnerWrapper::Append(half, options, debug).PermitUncheckedError();
    return IOStatus::NoSpace("no space left on the test's device");
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*verification*/,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    return Noted(FSWritableFileOwnerWrapper::Sync(options, debug), options, debug);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Noted(FSWritableFileOwnerWrapper::Fsync(options, debug), options, debug);
  }

 private:
  IOStatus Noted(IOStatus status, const IOOptions& options, IODebugContext* debug) {
    if (status.ok()) files_.NoteSynced(path_, GetFileSize(options, debug));
    return status;
  }

  FaultyFileSystem& files_;
  const std::string path_;
};

class FaultyFileSystem::Wrapper final : public rocksdb::FileSystemWrapper {
 public:
  explicit Wrapper(FaultyFileSystem& files)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), files_(files) {}
  const char* Name() const override { return "FaultyFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* result,
                           IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::NewWritableFile(path, options, result, debug);
    if (status.ok()) Wrap(path, result);
    return status;
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<FSWritableFile>* result,
                              IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::ReopenWritableFile(path, options, result, debug);
    if (status.ok()) Wrap(path, result);
    return status;
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    IOStatus status = FileSystemWrapper::RenameFile(from, to, options, debug);
    if (status.ok()) files_.NoteRenamed(from, to);
    return status;
  }

 private:
  void Wrap(const std::string& path, std::unique_ptr<FSWritableFile>* file) {
    files_.NoteSynced(path, 0);
    *file = std::make_unique<FaultyFile>(files_, path, std::move(*file));
  }

  FaultyFileSystem& files_;
};

FaultyFileSystem::FaultyFileSystem()
    : env_(rocksdb::NewCompositeEnv(std::make_shared<Wrapper>(*this))) {}

FaultyFileSystem::~FaultyFileSystem() = default;

void FaultyFileSystem::SetFull(bool full) {
  MutexLock lock(&mutex_);
  full_ = full;
}

bool FaultyFileSystem::full() const {
  MutexLock lock(&mutex_);
  return full_;
}

void FaultyFileSystem::NoteSynced(const std::string& path, uint64_t size) {
  MutexLock lock(&mutex_);
  synced_[path] = size;
}

void FaultyFileSystem::NoteRenamed(const std::string& from, const std::string& to) {
  MutexLock lock(&mutex_);
  const auto it = synced_.find(from);
  if (it == synced_.end()) return;
  synced_[to] = it->second;
  synced_.erase(it);
}

bool FaultyFileSystem::CopyWhatIsSynced(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::create_directories(to, error);
  for (const auto& entry : std::filesystem::directory_iterator(from, error)) {
    const std::string name = entry.path().filename();
    if (name == "LOCK" || name.rfind("LOG", 0) == 0) continue;
    uint64_t size = 0;
    {
      MutexLock lock(&mutex_);
      const auto it = synced_.find(from + "/" + name);
      if (it == synced_.end()) continue;
      size = it->second;
    }
    std::ifstream in(entry.path(), std::ios::binary);
    std::string bytes(size, '\0');
    in.read(bytes.data(), static_cast<std::streamsize>(size));
    bytes.resize(static_cast<size_t>(in.gcount()));
    std::ofstream out(to + "/" + name, std::ios::binary);
    if (!out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()))) return false;
  }
  return !error;
}

}  // namespace assay::rocks
