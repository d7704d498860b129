// What is known of a trace without reading its spans, and how facts of several requests add up.
#ifndef ASSAY_SERVICES_TRACE_CORE_TRACE_FACTS_H_
#define ASSAY_SERVICES_TRACE_CORE_TRACE_FACTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "assay/storage/v1/trace_records.pb.h"
#include "services/trace/core/ids.h"

namespace assay::trace {

using TraceFacts = storage::v1::TraceFactsRecord;
using UsageRecord = storage::v1::UsageRecord;

// Distinct spans that are counted exactly.
inline constexpr size_t kMaxCountedSpans = 1024;
// Spans whose usage is kept apart; that of others is only added up.
inline constexpr int kMaxUsageSpans = 256;
// Indexed terms of a trace, tags left out; and so many more of its session, its user, its name and
// what it judges, so that a trace with very many steps is still found by these alone.
inline constexpr int kMaxTerms = 64;
inline constexpr int kReservedTerms = 6;
inline constexpr size_t kMaxTags = 100;
inline constexpr size_t kMaxMetadata = 50;
inline constexpr int kMaxModels = 20;

// Bits of TraceFacts::truncated: what the facts hold less of than spans said. The first five are
// those of a SpanSummary.
inline constexpr uint32_t kFactsTruncatedTags = 1;
inline constexpr uint32_t kFactsTruncatedMetadata = 2;
inline constexpr uint32_t kFactsTruncatedSession = 4;
inline constexpr uint32_t kFactsTruncatedUser = 8;
inline constexpr uint32_t kFactsTruncatedModels = 16;
inline constexpr uint32_t kFactsTruncatedRootName = 32;
inline constexpr uint32_t kFactsTruncatedFirstName = 64;

// Whether `a` is the root rather than `b`: of the same span, that of the later chunk, else the one
// that started earlier.
bool PrecedesAsRoot(const storage::v1::RootSpanRecord& a, const storage::v1::RootSpanRecord& b);

// Adds `newer` to `facts`; either may be empty, and either may be without spans. Rules:
// - Times, the root (of one that was sent again, the later chunk wins), counts, terms, arrival and
//   completion (the highest generation) come out the same in whatever order requests are merged.
// - The group of the index is that of the earliest start.
// - Session, user, experiment and each key of the metadata: the first that is not empty stays.
// - Usage of a span: the later chunk counts; spans beyond kMaxUsageSpans (by id) are added up.
// - Tags: first `removed_tags` go, then `tags` are set. `facts` keeps no removed tags. A tag that a
//   client set (`tags_by_client` of the operand) stays, whatever later spans say.
// - Of terms, models, metadata and tags beyond their caps, the smallest stay. Dropped terms leave
//   their field among `overflowed_fields`, other things a bit in `truncated`; names, session
//   and user bring theirs with them.
// Merging is associative, also among operands, as long as none removes tags or is a client's.
void MergeFacts(const TraceFacts& newer, TraceFacts* facts);

// Whether operands may be merged with each other before they meet the stored facts.
bool CanMergeEarly(const TraceFacts& operand);

// False for a trace that only has tags, or a completion: no span has arrived.
bool HasSpans(const TraceFacts& facts);

int64_t SpanCount(const TraceFacts& facts);

// What the whole trace used. Spans that call models (LLM, CHAT_MODEL, EMBEDDING, RERANKER) are
// added up; other kinds (agents, chains) repeat what the spans below them used and count only if no
// span that calls models says anything: then those are added up that have no parent among them.
// Tokens and cost are decided apart.
UsageRecord UsageOf(const TraceFacts& facts);

// Adds each field that is known to `sum`, where an unknown one counts as zero. Saturates.
void AddUsage(const UsageRecord& usage, UsageRecord* sum);

// What a judgement was made of, if these are the facts of its trace: the resource name of a trace or
// a session; else empty. The view is valid as long as the facts do not change.
std::string_view JudgedBy(const TraceFacts& facts);

// A term of `terms`, and its parts.
std::string MakeTerm(std::string_view field, std::string_view value);
std::string_view FieldOfTerm(std::string_view term);
bool IsReserved(std::string_view field);  // kReservedTerms are for this field among others.
std::string_view ValueOfTerm(std::string_view term);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_CORE_TRACE_FACTS_H_
