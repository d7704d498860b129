// What the alignment service keeps: alignments, what they work on, what they have paid for, and
// what came of them.
//
// Implementations: KvAlignmentStore (services/alignment/store) on any kv::Store. The conformance
// suite in services/alignment/testing runs on the RocksDB engine and on the in-memory fake.
#ifndef ASSAY_SERVICES_ALIGNMENT_CORE_ALIGNMENT_STORE_H_
#define ASSAY_SERVICES_ALIGNMENT_CORE_ALIGNMENT_STORE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "assay/alignment/v1/alignment_service.pb.h"
#include "common/exec/done.h"
#include "common/jobs/journal.h"
#include "common/names/resource_name.h"
#include "common/request/request_key.h"
#include "services/alignment/core/labelled_case.h"

namespace assay::alignment {

struct AlignmentResult {
  registry::v1::JudgeDefinition candidate;
  v1::AlignmentReport report;
};

// Thread-safe. Reads block on storage and see every acknowledged write. Writes are durable before
// `done` is called, once, on the store's executor. Alignments come and go without candidate and
// report: FindResult has them.
class AlignmentStore {
 public:
  // May be called more than once (when writers meet); its error ends the write with nothing
  // changed.
  using Change = std::function<absl::StatusOr<v1::Alignment>(const v1::Alignment& current)>;

  virtual ~AlignmentStore() = default;

  virtual absl::StatusOr<std::optional<v1::Alignment>> Find(
      const names::AlignmentName& name) const = 0;
  virtual absl::StatusOr<std::optional<AlignmentResult>> FindResult(
      const names::AlignmentName& name) const = 0;
  // NOT_FOUND if there is none.
  virtual absl::StatusOr<AlignmentInput> ReadInput(const names::AlignmentName& name) const = 0;
  // By id, after `after` ("" for the first), at most `limit`.
  virtual absl::StatusOr<std::vector<v1::Alignment>> List(std::string_view experiment,
                                                          std::string_view after,
                                                          int limit) const = 0;
  // All in state RUNNING.
  virtual absl::StatusOr<std::vector<names::AlignmentName>> ListRunning() const = 0;

  // What this very request was answered before; nullopt if it is new. INVALID_ARGUMENT
  // (REQUEST_ID_REUSED) if its id was used for another one.
  virtual void FindAnswer(RequestKey key, Done<std::optional<v1::Alignment>> done) = 0;
  // ALREADY_EXISTS if the name is taken.
  virtual void Insert(RequestKey key, v1::Alignment alignment, AlignmentInput input,
                      Done<v1::Alignment> done) = 0;
  // NOT_FOUND if there is none. A result, if given, is kept in the same commit.
  virtual void Apply(RequestKey key, names::AlignmentName name, Change change,
                     std::optional<AlignmentResult> result, Done<v1::Alignment> done) = 0;

  // The journal of one alignment's paid calls, by the uid of its input. The store outlives it.
  virtual std::unique_ptr<jobs::Journal> OpenJournal(const std::string& uid) = 0;
  // Removes what the journal of an alignment that has ended holds; blocks.
  virtual absl::Status ForgetJournal(const std::string& uid) = 0;
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_CORE_ALIGNMENT_STORE_H_
