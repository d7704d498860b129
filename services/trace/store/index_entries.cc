#include "services/trace/store/index_entries.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "services/trace/core/index_terms.h"
#include "services/trace/store/index_group.h"

namespace assay::trace {
namespace {

// What AllTerms looks at, and nothing else: facts of large traces are large.
TraceFacts TermsOf(const TraceFacts& facts) {
  TraceFacts terms;
  terms.set_schema_version(1);
  *terms.mutable_terms() = facts.terms();
  *terms.mutable_overflowed_fields() = facts.overflowed_fields();
  *terms.mutable_tags() = facts.tags();
  return terms;
}

std::string KeyAt(const IndexPlace& place, std::string prefix) {
  if (place.group.has_value()) {
    keys::AppendGroup(place.group->group, &prefix);
  } else {
    keys::AppendPosition(place.position, &prefix);
  }
  return prefix;
}

void PutAt(const TraceDb& db, const IndexPlace& place, std::string prefix,
           rocks::WriteBatch& batch) {
  rocksdb::ColumnFamilyHandle* index = db.family(keys::kIndex);
  const std::string key = KeyAt(place, std::move(prefix));
  const uint64_t bound_ms = place.lifetime.bound_ms;
  if (place.group.has_value()) {
    batch.Merge(index, key, GroupAddition(bound_ms, place.group->member));
  } else {
    batch.Put(index, key, keys::BoundValue(bound_ms));
  }
}

void DeleteAt(const TraceDb& db, const IndexPlace& place, std::string prefix,
              rocks::WriteBatch& batch) {
  rocksdb::ColumnFamilyHandle* index = db.family(keys::kIndex);
  const std::string key = KeyAt(place, std::move(prefix));
  if (place.group.has_value()) {
    batch.Merge(index, key, GroupRemoval(place.group->member));
  } else {
    batch.Delete(index, key);
  }
}

std::vector<IndexTerm> Without(const std::vector<IndexTerm>& terms,
                               const std::vector<IndexTerm>& known) {
  std::vector<IndexTerm> rest;
  std::set_difference(terms.begin(), terms.end(), known.begin(), known.end(),
                      std::back_inserter(rest), [](const IndexTerm& a, const IndexTerm& b) {
                        return std::tie(a.field, a.value) < std::tie(b.field, b.value);
                      });
  return rest;
}

void PutAll(const TraceDb& db, const IndexPlace& place, const std::vector<IndexTerm>& terms,
            rocks::WriteBatch& batch) {
  PutAt(db, place, keys::TimePrefix(place.lifetime.number), batch);
  for (const IndexTerm& term : terms) PutTerm(db, place, term.field, term.value, batch);
}

}  // namespace

IndexPlace PlaceOf(const TraceId& trace, const keys::Lifetime& lifetime, const TraceFacts& facts) {
  IndexPlace place{lifetime, {facts.start_unix_nano(), trace}, std::nullopt};
  if (facts.has_index_group()) {
    const storage::v1::IndexGroupRecord& group = facts.index_group();
    place.group = {{group.start_unix_nano(), group.sequence(), group.ordinal()},
                   static_cast<uint8_t>(group.place())};
  }
  return place;
}

void PutTerm(const TraceDb& db, const IndexPlace& place, std::string_view field,
             std::string_view value, rocks::WriteBatch& batch) {
  PutAt(db, place, keys::TermPrefix(place.lifetime.number, field, value), batch);
}

void DeleteTerm(const TraceDb& db, const IndexPlace& place, std::string_view field,
                std::string_view value, rocks::WriteBatch& batch) {
  DeleteAt(db, place, keys::TermPrefix(place.lifetime.number, field, value), batch);
}

void EraseFromIndex(const TraceDb& db, const IndexPlace& place, const TraceFacts& facts,
                    std::string_view evaluation, rocks::WriteBatch& batch) {
  DeleteAt(db, place, keys::TimePrefix(place.lifetime.number), batch);
  for (const IndexTerm& term : AllTerms(facts, evaluation)) {
    DeleteTerm(db, place, term.field, term.value, batch);
  }
}

bool AddToIndex(const TraceDb& db, const TraceId& trace, const keys::Lifetime& lifetime,
                std::string_view evaluation, const TraceFacts& before, TraceFacts& added,
                RequestGroups& groups, rocks::WriteBatch& batch) {
  added.clear_index_group();  // Of an attempt before.
  IndexPlace place{lifetime, {added.start_unix_nano(), trace}, std::nullopt};
  if (before.schema_version() == 0) {
    place.group = groups.Add(lifetime, place.position, added, evaluation);
    if (place.group.has_value()) {
      storage::v1::IndexGroupRecord& record = *added.mutable_index_group();
      record.set_start_unix_nano(place.group->group.start_unix_nano);
      record.set_sequence(place.group->group.sequence);
      record.set_ordinal(place.group->group.ordinal);
      record.set_place(place.group->member);
    } else {
      // Nothing to compare with: neither sorted nor copied.
      PutAt(db, place, keys::TimePrefix(lifetime.number), batch);
      ForEachTerm(added, evaluation, [&](std::string_view field, std::string_view value) {
        PutTerm(db, place, field, value, batch);
      });
    }
    return true;
  }
  TraceFacts after = TermsOf(before);
  MergeFacts(TermsOf(added), &after);
  const std::vector<IndexTerm> terms = AllTerms(after, evaluation);
  if (!HasSpans(before)) {
    PutAll(db, place, terms, batch);
    return true;
  }
  const IndexPlace known = PlaceOf(trace, lifetime, before);
  if (added.start_unix_nano() < before.start_unix_nano()) {
    EraseFromIndex(db, known, before, evaluation, batch);
    PutAll(db, place, terms, batch);
    return true;
  }
  for (const IndexTerm& term : Without(terms, AllTerms(before, evaluation))) {
    PutTerm(db, known, term.field, term.value, batch);
  }
  return false;
}

}  // namespace assay::trace
