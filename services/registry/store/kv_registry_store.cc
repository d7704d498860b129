#include "services/registry/store/kv_registry_store.h"

#include <string>
#include <utility>

#include "assay/storage/v1/registry_records.pb.h"
#include "common/kv/keys.h"
#include "common/kv/mutate.h"
#include "common/request/etag.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "services/registry/store/registry_keys.h"

namespace assay::registry {
namespace {

using ::assay::storage::v1::ExperimentRecord;
using ::assay::storage::v1::JudgeRecord;
using ::assay::storage::v1::JudgeRevisionRecord;

template <class Record>
absl::StatusOr<Record> ParseRecord(std::string_view bytes) {
  Record record;
  if (!record.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return MakeError(absl::StatusCode::kDataLoss, "RECORD_UNREADABLE",
                     "a record of the registry cannot be read");
  }
  return record;
}

std::string ExperimentBytes(const v1::Experiment& experiment) {
  ExperimentRecord record;
  *record.mutable_experiment() = experiment;
  return record.SerializeAsString();
}

std::string JudgeBytes(const v1::Judge& judge) {
  JudgeRecord record;
  *record.mutable_judge() = judge;
  return record.SerializeAsString();
}

std::string RevisionBytes(const v1::JudgeRevision& revision) {
  JudgeRevisionRecord record;
  *record.mutable_revision() = revision;
  return record.SerializeAsString();
}

// Entries of one prefix, after `after_key` if it is not empty.
absl::StatusOr<std::vector<kv::Entry>> ScanPrefix(const kv::Reader& reader,
                                                  const std::string& prefix,
                                                  const std::string& after_key, int limit) {
  kv::ScanRange range;
  range.begin = after_key.empty() ? prefix : after_key + std::string(1, '\0');
  range.end = kv::PrefixEnd(prefix);
  range.limit = limit;
  return reader.Scan(range);
}

absl::StatusOr<v1::Judge> RequireJudge(kv::Transaction& txn, const names::JudgeName& name) {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, txn.Get(JudgeKey(name)));
  if (!bytes.has_value()) return NotFound("judge", name.ToString());
  ASSAY_ASSIGN_OR_RETURN(JudgeRecord record, ParseRecord<JudgeRecord>(*bytes));
  return std::move(*record.mutable_judge());
}

}  // namespace

absl::StatusOr<std::optional<v1::Experiment>> KvRegistryStore::FindExperiment(
    std::string_view experiment) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, store_.Get(ExperimentKey(experiment)));
  if (!bytes.has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(ExperimentRecord record, ParseRecord<ExperimentRecord>(*bytes));
  return std::move(*record.mutable_experiment());
}

absl::StatusOr<std::vector<v1::Experiment>> KvRegistryStore::ListExperiments(std::string_view after,
                                                                             int limit) const {
  ASSAY_ASSIGN_OR_RETURN(std::vector<kv::Entry> entries,
                         ScanPrefix(store_, ExperimentKeyPrefix(),
                                    after.empty() ? std::string() : ExperimentKey(after), limit));
  std::vector<v1::Experiment> experiments;
  experiments.reserve(entries.size());
  for (const kv::Entry& entry : entries) {
    ASSAY_ASSIGN_OR_RETURN(ExperimentRecord record, ParseRecord<ExperimentRecord>(entry.value));
    experiments.push_back(std::move(*record.mutable_experiment()));
  }
  return experiments;
}

void KvRegistryStore::InsertExperiment(RequestKey key, v1::Experiment experiment,
                                       Done<v1::Experiment> done) {
  kv::MutateProto<v1::Experiment>(
      store_, executor_, clock_, std::move(key),
      [experiment = std::move(experiment)](kv::Transaction& txn) -> absl::StatusOr<v1::Experiment> {
        ASSAY_ASSIGN_OR_RETURN(names::ExperimentName name,
                               names::ExperimentName::Parse(experiment.name()));
        const std::string record_key = ExperimentKey(name.experiment);
        ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> taken, txn.Get(record_key));
        if (taken.has_value()) return AlreadyExists("experiment", experiment.name());
        txn.Put(record_key, ExperimentBytes(experiment));
        return experiment;
      },
      std::move(done));
}

void KvRegistryStore::ChangeExperiment(RequestKey key, names::ExperimentName name,
                                       Change<v1::Experiment> change, Done<v1::Experiment> done) {
  kv::MutateProto<v1::Experiment>(
      store_, executor_, clock_, std::move(key),
      [name = std::move(name),
       change = std::move(change)](kv::Transaction& txn) -> absl::StatusOr<v1::Experiment> {
        const std::string record_key = ExperimentKey(name.experiment);
        ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, txn.Get(record_key));
        if (!bytes.has_value()) return NotFound("experiment", name.ToString());
        ASSAY_ASSIGN_OR_RETURN(ExperimentRecord record, ParseRecord<ExperimentRecord>(*bytes));
        ASSAY_ASSIGN_OR_RETURN(v1::Experiment changed, change(record.experiment()));
        txn.Put(record_key, ExperimentBytes(changed));
        return changed;
      },
      std::move(done));
}

absl::StatusOr<std::optional<v1::Judge>> KvRegistryStore::FindJudge(
    const names::JudgeName& name) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, store_.Get(JudgeKey(name)));
  if (!bytes.has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(JudgeRecord record, ParseRecord<JudgeRecord>(*bytes));
  return std::move(*record.mutable_judge());
}

absl::StatusOr<std::vector<v1::Judge>> KvRegistryStore::ListJudges(std::string_view experiment,
                                                                   std::string_view after,
                                                                   int limit) const {
  const std::string after_key =
      after.empty() ? std::string() : JudgeKey({std::string(experiment), std::string(after)});
  ASSAY_ASSIGN_OR_RETURN(std::vector<kv::Entry> entries,
                         ScanPrefix(store_, JudgeKeyPrefix(experiment), after_key, limit));
  std::vector<v1::Judge> judges;
  judges.reserve(entries.size());
  for (const kv::Entry& entry : entries) {
    ASSAY_ASSIGN_OR_RETURN(JudgeRecord record, ParseRecord<JudgeRecord>(entry.value));
    judges.push_back(std::move(*record.mutable_judge()));
  }
  return judges;
}

absl::StatusOr<std::optional<v1::JudgeRevision>> KvRegistryStore::FindRevision(
    const names::JudgeName& name, int64_t revision) const {
  ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, store_.Get(RevisionKey(name, revision)));
  if (!bytes.has_value()) return std::nullopt;
  ASSAY_ASSIGN_OR_RETURN(JudgeRevisionRecord record, ParseRecord<JudgeRevisionRecord>(*bytes));
  return std::move(*record.mutable_revision());
}

absl::StatusOr<std::vector<v1::JudgeRevision>> KvRegistryStore::ListRevisions(
    const names::JudgeName& name, int64_t before, int limit) const {
  const std::string after_key = before == 0 ? std::string() : RevisionKey(name, before);
  ASSAY_ASSIGN_OR_RETURN(std::vector<kv::Entry> entries,
                         ScanPrefix(store_, RevisionKeyPrefix(name), after_key, limit));
  std::vector<v1::JudgeRevision> revisions;
  revisions.reserve(entries.size());
  for (const kv::Entry& entry : entries) {
    ASSAY_ASSIGN_OR_RETURN(JudgeRevisionRecord record,
                           ParseRecord<JudgeRevisionRecord>(entry.value));
    revisions.push_back(std::move(*record.mutable_revision()));
  }
  return revisions;
}

void KvRegistryStore::InsertJudge(RequestKey key, v1::Judge judge, v1::JudgeRevision first,
                                  Done<v1::Judge> done) {
  kv::MutateProto<v1::Judge>(
      store_, executor_, clock_, std::move(key),
      [judge = std::move(judge),
       first = std::move(first)](kv::Transaction& txn) -> absl::StatusOr<v1::Judge> {
        ASSAY_ASSIGN_OR_RETURN(names::JudgeName name, names::JudgeName::Parse(judge.name()));
        ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> experiment,
                               txn.Get(ExperimentKey(name.experiment)));
        if (!experiment.has_value()) {
          return NotFound("experiment", names::ExperimentName{name.experiment}.ToString());
        }
        const std::string record_key = JudgeKey(name);
        ASSAY_ASSIGN_OR_RETURN(std::optional<std::string> taken, txn.Get(record_key));
        if (taken.has_value()) return AlreadyExists("judge", judge.name());
        txn.Put(record_key, JudgeBytes(judge));
        txn.Put(RevisionKey(name, first.revision()), RevisionBytes(first));
        return judge;
      },
      std::move(done));
}

void KvRegistryStore::AppendRevision(RequestKey key, names::JudgeName name, NextRevision next,
                                     Done<v1::JudgeRevision> done) {
  kv::MutateProto<v1::JudgeRevision>(
      store_, executor_, clock_, std::move(key),
      [name = std::move(name),
       next = std::move(next)](kv::Transaction& txn) -> absl::StatusOr<v1::JudgeRevision> {
        ASSAY_ASSIGN_OR_RETURN(v1::Judge judge, RequireJudge(txn, name));
        const int64_t number = judge.aliases().at("latest") + 1;
        ASSAY_ASSIGN_OR_RETURN(v1::JudgeRevision revision, next(judge, number));
        (*judge.mutable_aliases())["latest"] = number;
        *judge.mutable_update_time() = revision.create_time();
        judge.set_etag(NextEtag(judge.etag()));
        txn.Put(JudgeKey(name), JudgeBytes(judge));
        txn.Put(RevisionKey(name, number), RevisionBytes(revision));
        return revision;
      },
      std::move(done));
}

void KvRegistryStore::ChangeJudge(RequestKey key, names::JudgeName name, Change<v1::Judge> change,
                                  Done<v1::Judge> done) {
  kv::MutateProto<v1::Judge>(
      store_, executor_, clock_, std::move(key),
      [name = std::move(name),
       change = std::move(change)](kv::Transaction& txn) -> absl::StatusOr<v1::Judge> {
        ASSAY_ASSIGN_OR_RETURN(v1::Judge judge, RequireJudge(txn, name));
        ASSAY_ASSIGN_OR_RETURN(v1::Judge changed, change(judge));
        txn.Put(JudgeKey(name), JudgeBytes(changed));
        return changed;
      },
      std::move(done));
}

}  // namespace assay::registry
