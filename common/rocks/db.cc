#include "common/rocks/db.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/rocks/options.h"
#include "common/rocks/scan.h"
#include "common/rocks/status.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "rocksdb/convenience.h"
#include "rocksdb/options.h"

namespace assay::rocks {
namespace {

using absl::StatusCode;

// In the default family. Value: "assay-store <format> <store name> <schema version>".
constexpr std::string_view kIdentityKey = "assay.store";
constexpr uint32_t kFormatVersion = 1;

std::string IdentityRecord(const DbOptions& options) {
  return absl::StrCat("assay-store ", kFormatVersion, " ", options.store_name, " ",
                      options.schema_version);
}

absl::Status Refusal(std::string_view reason, const DbOptions& options, std::string_view why) {
  return MakeError(StatusCode::kFailedPrecondition, reason,
                   "the store in " + options.path + " " + std::string(why));
}

// The schema version of the record, or why this store must not be opened.
absl::StatusOr<uint32_t> CheckRecord(const DbOptions& options, std::string_view record) {
  const std::vector<std::string> parts =
      absl::StrSplit(absl::string_view(record.data(), record.size()), ' ');
  uint32_t format = 0;
  uint32_t schema = 0;
  if (parts.size() < 2 || parts[0] != "assay-store" || !absl::SimpleAtoi(parts[1], &format)) {
    return Refusal("STORE_MISMATCH", options, "is not one of Assay's; choose another directory");
  }
  if (format > kFormatVersion) {
    return Refusal("STORE_TOO_NEW", options,
                   absl::StrCat("has format ", format, ", this binary knows up to ", kFormatVersion,
                                "; run a newer version"));
  }
  if (parts.size() != 4 || !absl::SimpleAtoi(parts[3], &schema)) {
    return Refusal("STORE_MISMATCH", options, "has an unreadable identity record");
  }
  if (parts[2] != options.store_name) {
    return Refusal("STORE_MISMATCH", options,
                   absl::StrCat("belongs to '", parts[2], "', not to '", options.store_name,
                                "'; choose another directory"));
  }
  if (schema > options.schema_version) {
    return Refusal("STORE_TOO_NEW", options,
                   absl::StrCat("has schema ", schema, ", this binary knows up to ",
                                options.schema_version, "; run a newer version"));
  }
  return schema;
}

absl::Status OpenError(const DbOptions& options, const rocksdb::Status& status) {
  if (status.IsIOError() && absl::StrContains(status.ToString(), "lock")) {
    return Refusal("STORE_LOCKED", options,
                   "is in use by another process; stop that one or choose another directory");
  }
  return FromRocks(status, absl::StrCat("open ", options.path));
}

absl::Status CreateDirectory(const DbOptions& options) {
  if (options.env != nullptr && options.env != rocksdb::Env::Default()) {
    return FromRocks(options.env->CreateDirIfMissing(options.path), "create the directory");
  }
  std::error_code error;
  if (std::filesystem::is_directory(options.path, error)) return absl::OkStatus();
  std::filesystem::create_directories(options.path, error);
  if (error || ::chmod(options.path.c_str(), 0700) != 0) {
    return MakeError(StatusCode::kFailedPrecondition, "STORE_UNUSABLE",
                     absl::StrCat("cannot create ", options.path, ": ", error.message()));
  }
  return absl::OkStatus();
}

// A look without a trace, so that a store of a newer version is refused before anything in it is
// touched. What cannot be read here is for the real opening to report.
absl::Status Precheck(const DbOptions& options, const rocksdb::Options& rocks_options) {
  rocksdb::Options look = rocks_options;
  look.create_if_missing = false;
  look.create_missing_column_families = false;
  look.info_log = SilentLogger();
  rocksdb::DB* raw = nullptr;
  if (!rocksdb::DB::OpenForReadOnly(look, options.path, &raw).ok()) return absl::OkStatus();
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::string record;
  if (!db->Get(rocksdb::ReadOptions(), rocksdb::Slice(kIdentityKey), &record).ok()) {
    return absl::OkStatus();
  }
  return CheckRecord(options, record).status();
}

rocksdb::ReadOptions ReadOptionsAt(const Snapshot* snapshot) {
  rocksdb::ReadOptions options;
  options.snapshot = snapshot == nullptr ? nullptr : snapshot->get();
  return options;
}

}  // namespace

Snapshot::Snapshot(const Db& db) : db_(db), snapshot_(db.raw().GetSnapshot()) {}

Snapshot::~Snapshot() { db_.raw().ReleaseSnapshot(snapshot_); }

absl::StatusOr<std::unique_ptr<Db>> Db::Open(DbOptions options) {
  ASSAY_RETURN_IF_ERROR(CreateDirectory(options));
  std::unique_ptr<Db> db(new Db);
  db->path_ = options.path;
  ASSAY_RETURN_IF_ERROR(db->OpenFamilies(options));
  ASSAY_RETURN_IF_ERROR(db->CheckIdentity(options));
  return db;
}

absl::Status Db::OpenFamilies(DbOptions& options) {
  const rocksdb::Options rocks_options = StoreOptions(options);
  ASSAY_RETURN_IF_ERROR(Precheck(options, rocks_options));

  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors = {
      {rocksdb::kDefaultColumnFamilyName, rocks_options}};
  for (const FamilyOptions& family : options.families) {
    descriptors.emplace_back(family.name, FamilyRocksOptions(family, rocks_options));
  }
  // RocksDB opens all families or none, so those of other versions are opened along.
  std::vector<std::string> on_disk;
  const rocksdb::Status listed =
      rocksdb::DB::ListColumnFamilies(rocks_options, options.path, &on_disk);
  if (!listed.ok()) on_disk.clear();  // a new store
  for (const std::string& name : on_disk) {
    const bool known = std::any_of(descriptors.begin(), descriptors.end(),
                                   [&](const auto& descriptor) { return descriptor.name == name; });
    if (!known) descriptors.emplace_back(name, rocks_options);
  }

  rocksdb::DB* raw = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  const rocksdb::Status opened =
      rocksdb::DB::Open(rocks_options, options.path, descriptors, &handles, &raw);
  if (!opened.ok()) return OpenError(options, opened);
  db_.reset(raw);
  const auto first_other = handles.begin() + 1 + static_cast<int64_t>(options.families.size());
  families_.assign(handles.begin() + 1, first_other);
  other_families_.assign(first_other, handles.end());
  other_families_.insert(other_families_.begin(), handles.front());
  return absl::OkStatus();
}

absl::Status Db::CheckIdentity(DbOptions& options) {
  std::string record;
  const rocksdb::Status found =
      db_->Get(rocksdb::ReadOptions(), rocksdb::Slice(kIdentityKey), &record);
  if (found.ok()) {
    ASSAY_ASSIGN_OR_RETURN(const uint32_t schema, CheckRecord(options, record));
    if (schema == options.schema_version) return absl::OkStatus();
    if (!options.migrate) {
      return Refusal("STORE_TOO_OLD", options,
                     absl::StrCat("has schema ", schema, ", and there is no migration to ",
                                  options.schema_version));
    }
    ASSAY_RETURN_IF_ERROR(options.migrate(*this, schema));
  } else if (!found.IsNotFound()) {
    return FromRocks(found, absl::StrCat("open ", options.path));
  } else {
    // New, or its creation was cut short; then it is empty.
    for (size_t family = 0; family < families_.size(); ++family) {
      ASSAY_ASSIGN_OR_RETURN(const ScanEnd end, Scan(*this, static_cast<int>(family), {.limit = 1},
                                                     [](auto, auto) { return ScanStep::Stop(); }));
      if (end == ScanEnd::kStopped) {
        return Refusal("STORE_MISMATCH", options,
                       "is not one of Assay's; choose another directory");
      }
    }
  }
  rocksdb::WriteOptions synced;
  synced.sync = true;
  return FromRocks(db_->Put(synced, rocksdb::Slice(kIdentityKey), IdentityRecord(options)),
                   absl::StrCat("open ", options.path));
}

Db::~Db() {
  if (db_ == nullptr) return;
  rocksdb::CancelAllBackgroundWork(db_.get(), /*wait=*/true);
  for (rocksdb::ColumnFamilyHandle* handle : families_) {
    db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  for (rocksdb::ColumnFamilyHandle* handle : other_families_) {
    db_->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  db_->Close().PermitUncheckedError();
}

absl::StatusOr<std::optional<std::string>> Db::Get(int family, std::string_view key,
                                                   const Snapshot* snapshot) const {
  std::string value;
  const rocksdb::Status status =
      db_->Get(ReadOptionsAt(snapshot), this->family(family), rocksdb::Slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return FromRocks(status, "get");
  return value;
}

absl::StatusOr<std::vector<std::optional<std::string>>> Db::MultiGet(
    int family, absl::Span<const std::string> keys, const Snapshot* snapshot) const {
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  db_->MultiGet(ReadOptionsAt(snapshot), this->family(family), slices.size(), slices.data(),
                values.data(), statuses.data());
  std::vector<std::optional<std::string>> result(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return FromRocks(statuses[i], "get");
    result[i] = values[i].ToString();
  }
  return result;
}

rocksdb::ColumnFamilyHandle* Db::FamilyById(uint32_t id) const {
  for (rocksdb::ColumnFamilyHandle* handle : families_) {
    if (handle->GetID() == id) return handle;
  }
  return nullptr;
}

absl::Status Db::CompactFamily(int family) {
  ASSAY_RETURN_IF_ERROR(
      FromRocks(db_->Flush(rocksdb::FlushOptions(), this->family(family)), "flush"));
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForce;
  return FromRocks(db_->CompactRange(options, this->family(family), nullptr, nullptr), "compact");
}

}  // namespace assay::rocks
