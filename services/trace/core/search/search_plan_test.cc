#include "services/trace/core/search/search_plan.h"

#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trace/core/trace_fields.h"

namespace assay::trace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SearchPlan Plan(std::string_view text) {
  static const auto* const kAttributes = new IndexedAttributes(std::vector<std::string>{"topic"});
  return PlanSearch(filter::ParseFilter(text, TraceFieldSchema()).value(), *kAttributes);
}

std::vector<std::string> Names(std::string_view text) {
  std::vector<std::string> names;
  for (const Candidate& candidate : Plan(text).candidates) names.push_back(candidate.name);
  return names;
}

std::vector<IndexTerm> Terms(std::string_view text) {
  const SearchPlan plan = Plan(text);
  return std::get<TermCandidate>(plan.candidates.at(0).source).terms;
}

TEST(SearchPlanTest, TakesEveryEqualityThatHasAnIndex) {
  EXPECT_THAT(Names(""), IsEmpty());
  for (const char* field :
       {"session", "user", "evaluation", "root_span_name", "model", "span.name", "span.type",
        "span.model", "provider", "span.provider", "tags.team", "attributes.topic",
        "span.attributes.topic", "attributes.service.name"}) {
    EXPECT_THAT(Names(std::string(field) + " = \"x\""), testing::SizeIs(1)) << field;
    EXPECT_THAT(Names(std::string(field) + " != \"x\""), IsEmpty()) << field;
    EXPECT_THAT(Names(std::string("NOT ") + field + " = \"x\""), IsEmpty()) << field;
    EXPECT_THAT(Names(std::string(field) + " = \"x*\""), IsEmpty()) << field;
  }
  EXPECT_THAT(Names("attributes.other = \"x\""), IsEmpty());
  EXPECT_THAT(Names("metadata.k = \"x\""), IsEmpty());
  EXPECT_THAT(Names("span.status = ERROR"), ElementsAre("span.status"));
  EXPECT_THAT(Names("span.status = OK"), IsEmpty());
  EXPECT_THAT(Names("feedback.q > 3"), ElementsAre("feedback.q"));
  EXPECT_THAT(Names("expectation.q : *"), ElementsAre("expectation.q"));
  EXPECT_THAT(Names("trace_id = \"00\""), ElementsAre("trace_id"));
}

TEST(SearchPlanTest, PutsWhatIsNarrowerFirst) {
  EXPECT_THAT(
      Names("span.name = \"a\" AND feedback.q = 1 AND (tags.t = \"x\" AND user = \"u\") AND "
            "session = \"s\" AND feedback.q.source = HUMAN"),
      ElementsAre("session", "user", "tags.t", "span.name", "feedback.q"));
}

TEST(SearchPlanTest, WritesTermsAsTheyAreIndexed) {
  const std::string overflow(kOverflowValue);
  EXPECT_THAT(Terms("session = \"s\""),
              ElementsAre(IndexTerm{"session", overflow}, IndexTerm{"session", "s"}));
  EXPECT_THAT(Terms("span.model = \"m\""),
              ElementsAre(IndexTerm{"model", overflow}, IndexTerm{"model", "m"}));
  EXPECT_THAT(Terms("tags.a.b = \"\""), ElementsAre(IndexTerm{"tags.a.b", ""}));
  EXPECT_THAT(Terms("evaluation = \"experiments/e/evaluations/run\""),
              ElementsAre(IndexTerm{"evaluation", "run"}));
  EXPECT_EQ(Terms("attributes.topic = 5.0").back(), (IndexTerm{"attributes.topic", "5"}));
  EXPECT_EQ(Terms("attributes.topic = 0.25").back(), (IndexTerm{"attributes.topic", "0.25"}));
  EXPECT_EQ(Terms("attributes.topic = true").back(), (IndexTerm{"attributes.topic", "true"}));
  // Has several spellings as a double; empty texts are not indexed.
  EXPECT_THAT(Names("attributes.topic = 9007199254740993"), IsEmpty());
  EXPECT_THAT(Names("attributes.topic = \"\""), IsEmpty());
  EXPECT_THAT(Names("session = \"\""), IsEmpty());
}

TEST(SearchPlanTest, MergesTheAlternativesOfADisjunction) {
  EXPECT_THAT(Names("session = \"a\" OR session = \"b\""), ElementsAre("session"));
  EXPECT_THAT(Terms("session = \"a\" OR session = \"b\""), testing::SizeIs(3));
  EXPECT_THAT(Names("session = \"a\" OR (user = \"b\" AND state = OK)"),
              ElementsAre("session, user"));
  EXPECT_THAT(Names("session = \"a\" OR state = OK"), IsEmpty());
  EXPECT_THAT(Names("session = \"a\" OR feedback.q = 1"), IsEmpty());
  EXPECT_THAT(Names("state = OK AND (session = \"a\" OR session = \"b\")"), ElementsAre("session"));
}

TEST(SearchPlanTest, TrustsAnIndexOnlyForTracesThatCameSince) {
  const IndexedAttributes attributes(std::vector<std::string>{"topic"});
  const IndexedSince since{{"topic", 60'000}};
  const auto served = [&](std::string_view text) {
    const filter::Filter filter = filter::ParseFilter(text, TraceFieldSchema()).value();
    return !PlanSearch(filter, attributes, &since).candidates.empty();
  };
  EXPECT_FALSE(served("attributes.topic = \"x\""));
  EXPECT_TRUE(served("attributes.service.name = \"x\""));
  EXPECT_TRUE(served("attributes.topic = \"x\" AND create_time >= \"1970-01-01T00:01:00Z\""));
  EXPECT_FALSE(served("attributes.topic = \"x\" AND create_time >= \"1970-01-01T00:00:59Z\""));
  EXPECT_FALSE(served("attributes.topic = \"x\" AND create_time < \"1970-01-01T00:02:00Z\""));
}

TEST(SearchPlanTest, BoundsTheStart) {
  const uint64_t second = 1'000'000'000;
  EXPECT_EQ(Plan("state = OK").starts, StartRange());
  EXPECT_EQ(Plan("start_time >= \"1970-01-01T00:01:00Z\" AND (state = OK AND "
                 "start_time < \"1970-01-01T00:02:00Z\")")
                .starts,
            (StartRange{60 * second, 120 * second}));
  EXPECT_EQ(Plan("start_time = \"1970-01-01T00:01:00Z\"").starts,
            (StartRange{60 * second, 60 * second}));
  EXPECT_EQ(Plan("start_time > \"1970-01-01T00:01:00Z\" OR state = OK").starts, StartRange());
  EXPECT_EQ(Plan("NOT start_time > \"1970-01-01T00:01:00Z\"").starts, StartRange());
  EXPECT_TRUE(
      Plan("start_time > \"1970-01-01T00:01:00Z\" AND start_time < \"1969-01-01T00:01:00Z\"")
          .starts.empty());
  EXPECT_EQ(Plan("start_time < \"3000-01-01T00:00:00Z\"").starts, StartRange());
}

}  // namespace
}  // namespace assay::trace
