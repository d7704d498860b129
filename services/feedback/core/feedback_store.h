// What the feedback service keeps: assessments with every revision of each, and the outbox of
// changes for the trace service.
//
// Implementation: KvFeedbackStore (services/feedback/store) on any kv::Store. The conformance suite
// in services/feedback/testing runs on the RocksDB engine and on the in-memory fake.
#ifndef ASSAY_SERVICES_FEEDBACK_CORE_FEEDBACK_STORE_H_
#define ASSAY_SERVICES_FEEDBACK_CORE_FEEDBACK_STORE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "assay/feedback/v1/assessment.pb.h"
#include "common/exec/done.h"
#include "common/names/resource_name.h"
#include "common/request/request_key.h"

namespace assay::feedback {

// What a write did.
struct Written {
  std::vector<v1::Assessment> assessments;  // what the caller is shown
  int64_t sequence = 0;  // of the last change; 0 if nothing changed. Stands in read tokens.
};

// An assessment and its place in the order of creation.
struct Placed {
  int64_t sequence = 0;
  v1::Assessment assessment;
};

// A part of an experiment's assessments, in the order of creation.
struct AssessmentRange {
  std::string experiment;
  std::string trace;  // a trace's id; empty for all
  int64_t after_sequence = 0;
  int limit = 1000;
};

struct AssessmentPage {
  std::vector<Placed> assessments;
  bool more = false;  // whether there may be others after the last one; a page may be shorter than
                      // asked for
};

// Traces with valid feedback of one name from every one of these kinds.
struct LabelledRange {
  std::string experiment;
  std::string assessment_name;
  std::vector<common::v1::SourceKind> kinds;  // at least one, distinct
  std::string after_trace;                    // a trace's id; empty for the first
  int limit = 1000;
};

struct LabelledTrace {
  std::string trace;                // its id
  std::vector<Placed> assessments;  // valid feedback of that name from any source, oldest first, at
                                    // most kMaxLabelsOfOneKind of a kind
};

struct LabelledPage {
  std::vector<LabelledTrace> traces;  // by id
  // Go on after this one; empty: there are no more. A page may be short, even empty, and go on.
  std::string next_after_trace;
};

inline constexpr int kMaxLabelsOfOneKind = 100;

// Thread-safe. Reads block on storage and see every acknowledged write. Writes are durable before
// `done` is called, once, on the store's executor; each records its answer under its RequestKey,
// and its changes in the outbox, in the same commit. A function passed in may be called more than
// once (when writers meet), must have no effect but its answer, and its error ends the write with
// nothing changed.
class FeedbackStore {
 public:
  using Change = std::function<absl::StatusOr<v1::Assessment>(const v1::Assessment& current)>;

  // What overriding makes of the assessment that is overridden.
  struct Override {
    v1::Assessment overridden;
    v1::Assessment successor;
  };
  using MakeOverride = std::function<absl::StatusOr<Override>(const v1::Assessment& current)>;

  // Those that deleting one touches: what it overrides, and what overrides it.
  struct Neighbours {
    std::optional<v1::Assessment> overridden;
    std::optional<v1::Assessment> successor;
  };
  // Says whether `current` may go, and changes its neighbours.
  using Unlink = std::function<absl::Status(const v1::Assessment& current, Neighbours& neighbours)>;

  virtual ~FeedbackStore() = default;

  // Made at the store's creation, never changes: whose sequence numbers these are.
  virtual const std::string& StoreId() const = 0;

  // nullopt for one that never was, or is deleted.
  virtual absl::StatusOr<std::optional<v1::Assessment>> Find(
      const names::AssessmentName& name) const = 0;
  virtual absl::StatusOr<AssessmentPage> List(const AssessmentRange& range) const = 0;
  virtual absl::StatusOr<LabelledPage> ListLabelled(const LabelledRange& range) const = 0;
  // Every revision, oldest first, also of a deleted one; empty for one that never was.
  virtual absl::StatusOr<std::vector<v1::Assessment>> ListRevisions(
      const names::AssessmentName& name) const = 0;

  // What Insert does with a name that is taken, even by one that is deleted.
  enum class IfTaken {
    kRefuse,  // ALREADY_EXISTS.
    // Leaves what is there, and answers with it; the others are inserted. ALREADY_EXISTS if it is
    // about another trace.
    kKeep,
  };

  // All or none.
  virtual void Insert(RequestKey key, std::vector<v1::Assessment> assessments, IfTaken if_taken,
                      Done<Written> done) = 0;
  // NOT_FOUND without it. The change may not touch name, target, source, kind and overrides.
  virtual void ChangeOne(RequestKey key, names::AssessmentName name, Change change,
                         Done<Written> done) = 0;
  // NOT_FOUND without it. Answers with the successor.
  virtual void OverrideOne(RequestKey key, names::AssessmentName name, MakeOverride make,
                           Done<Written> done) = 0;
  // Without it, nothing changes. Answers with no assessment; the sequence is that of its deletion.
  virtual void DeleteOne(RequestKey key, names::AssessmentName name, Unlink unlink,
                         Done<Written> done) = 0;
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CORE_FEEDBACK_STORE_H_
