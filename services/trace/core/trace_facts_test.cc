#include "services/trace/core/trace_facts.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trace/core/facts_builder.h"
#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {
namespace {

TraceFacts FactsOf(const OtlpSpan& span, uint64_t sequence = 0) {
  const std::string bytes = span.SerializeAsString();
  SpanView view;
  EXPECT_EQ(ReadSpan(bytes, &view), "");
  static const IndexedAttributes attributes;
  PriceMemo prices(PriceTable::BuiltIn());
  FactsBuilder builder(attributes, prices);
  builder.Add(view);
  TraceFacts facts = builder.Build();
  if (facts.has_root()) facts.mutable_root()->set_sequence(sequence);
  return facts;
}

OtlpSpan Span(uint8_t id, uint8_t parent, uint64_t start) {
  ExportRequest request;
  return *AddSpan(AddResource(&request), 1, id, parent, start);
}

TEST(TraceFactsTest, SumUpTheSame_InWhateverOrder) {
  OtlpSpan root = Span(1, 0, 50);
  SetText(&root, "session.id", "s");
  std::vector<TraceFacts> parts = {FactsOf(root, 7), FactsOf(Span(2, 1, 60)),
                                   FactsOf(Span(3, 1, 40))};
  std::sort(parts.begin(), parts.end(),
            [](const auto& a, const auto& b) { return a.span_ids() < b.span_ids(); });
  std::vector<size_t> order = {0, 1, 2};
  do {
    TraceFacts sum;
    for (size_t i : order) MergeFacts(parts[i], &sum);
    EXPECT_EQ(sum.start_unix_nano(), 40'000'000'000u);
    EXPECT_EQ(sum.end_unix_nano(), 61'000'000'000u);
    EXPECT_EQ(SpanCount(sum), 3);
    EXPECT_EQ(sum.root().name(), "span-1");
    EXPECT_EQ(sum.root().sequence(), 7u);
    EXPECT_EQ(sum.first_span_name(), "span-3");
    EXPECT_EQ(sum.session(), "s");
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(TraceFactsTest, CountASpanThatIsSentTwiceOnce) {
  TraceFacts sum = FactsOf(Span(1, 0, 50), 1);
  OtlpSpan again = Span(1, 0, 50);
  again.mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  MergeFacts(FactsOf(again, 2), &sum);
  EXPECT_EQ(SpanCount(sum), 1);
  EXPECT_TRUE(sum.root().error());
  MergeFacts(FactsOf(Span(1, 0, 50), 1), &sum);
  EXPECT_TRUE(sum.root().error()) << "an older chunk must not win";
}

TEST(TraceFactsTest, TakeTheEarliestOfSeveralRoots) {
  TraceFacts sum = FactsOf(Span(1, 0, 50), 1);
  MergeFacts(FactsOf(Span(2, 0, 40), 2), &sum);
  MergeFacts(FactsOf(Span(3, 0, 60), 3), &sum);
  EXPECT_EQ(sum.root().name(), "span-2");
}

TEST(TraceFactsTest, CountBeyondTheIdsTheyKeep) {
  TraceFacts sum;
  for (int i = 0; i < 1500; ++i) {
    TraceFacts one;
    one.set_schema_version(1);
    one.set_span_ids(std::string(6, 'a') + static_cast<char>(i / 256) + static_cast<char>(i % 256));
    MergeFacts(one, &sum);
  }
  EXPECT_EQ(SpanCount(sum), 1500);
  EXPECT_EQ(sum.span_ids().size(), kMaxCountedSpans * SpanId::kSize);
}

// Facts of a chunk with a bit of everything, from few ids so that chunks overlap.
TraceFacts RandomFacts(std::mt19937& random, uint64_t sequence) {
  auto below = [&random](uint32_t n) { return static_cast<int>(random() % n); };
  TraceFacts facts;
  facts.set_schema_version(1);
  if (below(4) > 0) {
    // A span that is sent again says the same of itself.
    const int id = 1 + below(5);
    facts = FactsOf(Span(static_cast<uint8_t>(id), static_cast<uint8_t>(id % 2), 40 + id % 3),
                    sequence);
    facts.set_error_spans(below(2));
    facts.set_span_bytes(below(100));
    facts.set_last_sequence(sequence);
    facts.set_last_arrival_ms(below(1000));
  }
  if (below(2) == 0) {
    auto* used = facts.add_span_usage();
    used->set_span_id(std::string(TestSpan(static_cast<uint8_t>(below(4))).bytes()));
    used->set_model(below(2) == 0);
    used->set_sequence(sequence);
    used->mutable_usage()->set_input_tokens(below(10));
  }
  for (int i = 0; i < 3; ++i) {
    facts.add_terms(
        MakeTerm("f" + std::to_string(i), std::string(1, static_cast<char>('a' + below(26)))));
  }
  if (below(3) == 0)
    (*facts.mutable_tags())["k" + std::to_string(below(3))] = std::to_string(sequence);
  if (below(3) == 0)
    (*facts.mutable_metadata())["m" + std::to_string(below(3))] = std::to_string(sequence);
  if (below(3) == 0) {
    facts.mutable_completion()->set_generation(below(4));
    facts.mutable_completion()->set_through_sequence(sequence);
  }
  return facts;
}

// Maps are serialized in any order unless asked.
std::string Text(const TraceFacts& facts) { return facts.DebugString(); }

TEST(TraceFactsTest, AddUpTheSame_HoweverTheyAreGrouped) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<TraceFacts> parts;
    for (uint64_t i = 0; i < 6; ++i) parts.push_back(RandomFacts(random, i + 1));
    TraceFacts one_by_one;
    for (const TraceFacts& part : parts) MergeFacts(part, &one_by_one);
    const size_t cut = random() % 5;
    TraceFacts left;
    TraceFacts right;
    for (size_t i = 0; i < parts.size(); ++i) MergeFacts(parts[i], i <= cut ? &left : &right);
    MergeFacts(right, &left);
    ASSERT_EQ(Text(left), Text(one_by_one)) << "round " << round;
  }
}

TEST(TraceFactsTest, AddUpTheSame_InWhateverOrderTheyArrive) {
  std::mt19937 random(8);
  for (int round = 0; round < 100; ++round) {
    std::vector<TraceFacts> parts;
    for (uint64_t i = 0; i < 5; ++i) {
      parts.push_back(RandomFacts(random, i + 1));
      parts.back().clear_tags();
      parts.back().clear_metadata();
    }
    TraceFacts forward;
    for (const TraceFacts& part : parts) MergeFacts(part, &forward);
    std::shuffle(parts.begin(), parts.end(), random);
    TraceFacts shuffled;
    for (const TraceFacts& part : parts) MergeFacts(part, &shuffled);
    ASSERT_EQ(Text(shuffled), Text(forward)) << "round " << round;
  }
}

TEST(TraceFactsTest, RemoveTagsBeforeTheySetThem) {
  TraceFacts facts;
  facts.set_schema_version(1);
  (*facts.mutable_tags())["a"] = "1";
  (*facts.mutable_tags())["b"] = "1";
  TraceFacts change;
  change.set_schema_version(1);
  change.set_tags_by_client(true);
  change.add_removed_tags("a");
  change.add_removed_tags("b");
  (*change.mutable_tags())["b"] = "2";
  EXPECT_FALSE(CanMergeEarly(change));
  MergeFacts(change, &facts);
  EXPECT_THAT(facts.tags(), testing::UnorderedElementsAre(testing::Pair("b", "2")));
  EXPECT_TRUE(facts.removed_tags().empty());
  EXPECT_FALSE(HasSpans(facts));
  TraceFacts empty;
  MergeFacts(change, &empty);
  EXPECT_TRUE(empty.removed_tags().empty());
}

TEST(TraceFactsTest, KeepsTheTagsOfClientsWhateverSpansSay) {
  TraceFacts facts;
  TraceFacts change;
  change.set_schema_version(1);
  change.set_tags_by_client(true);
  (*change.mutable_tags())["zz"] = "client";
  MergeFacts(change, &facts);
  EXPECT_FALSE(facts.tags_by_client());
  TraceFacts flood;
  flood.set_schema_version(1);
  (*flood.mutable_tags())["zz"] = "span";
  for (int i = 0; i < 150; ++i) (*flood.mutable_tags())["k" + std::to_string(i)] = "v";
  MergeFacts(flood, &facts);
  EXPECT_EQ(facts.tags().size(), kMaxTags);
  EXPECT_EQ(facts.tags().at("zz"), "client");
  // Once the client removes it, spans may say it again.
  change.clear_tags();
  change.add_removed_tags("zz");
  MergeFacts(change, &facts);
  EXPECT_FALSE(facts.tags().contains("zz"));
  EXPECT_TRUE(facts.client_tags().empty());
}

TEST(TraceFactsTest, KeepTheirCaps) {
  TraceFacts sum;
  for (int i = 0; i < 300; ++i) {
    TraceFacts one;
    one.set_schema_version(1);
    const std::string number = std::to_string(1000 + i);
    (*one.mutable_tags())["t" + number] = "";
    (*one.mutable_metadata())["m" + number] = "";
    one.add_terms(MakeTerm(i % 2 == 0 ? "even" : "odd", number));
    auto* used = one.add_span_usage();
    used->set_span_id("span" + number);
    used->set_model(true);
    used->mutable_usage()->set_total_tokens(2);
    MergeFacts(one, &sum);
  }
  EXPECT_EQ(sum.tags().size(), kMaxTags);
  EXPECT_EQ(sum.metadata().size(), kMaxMetadata);
  EXPECT_EQ(sum.terms_size(), kMaxTerms);
  EXPECT_THAT(sum.overflowed_fields(), testing::ElementsAre("even", "odd"));
  EXPECT_EQ(sum.span_usage_size(), kMaxUsageSpans);
  EXPECT_EQ(UsageOf(sum).total_tokens(), 600);
  EXPECT_FALSE(UsageOf(sum).has_input_tokens());
}

TEST(TraceFactsTest, SayWhatTheirCapsTookFromThem) {
  TraceFacts sum;
  const auto add = [&](const std::string& number) {
    TraceFacts one;
    one.set_schema_version(1);
    (*one.mutable_tags())["t" + number] = "";
    (*one.mutable_metadata())["m" + number] = "";
    one.add_models("model" + number);
    MergeFacts(one, &sum);
  };
  for (int i = 0; i < kMaxModels; ++i) add(std::to_string(100 + i));
  EXPECT_EQ(sum.truncated(), 0u);
  add("099");
  EXPECT_EQ(sum.truncated(), kFactsTruncatedModels);
  EXPECT_EQ(sum.models_size(), kMaxModels);
  EXPECT_EQ(sum.models(0), "model099") << "the first by name stay";
  for (int i = kMaxModels; i < 50; ++i) add(std::to_string(100 + i));
  EXPECT_EQ(sum.truncated(), kFactsTruncatedModels | kFactsTruncatedMetadata);
  for (int i = 50; i < 100; ++i) add(std::to_string(100 + i));
  EXPECT_EQ(sum.truncated(), kFactsTruncatedModels | kFactsTruncatedMetadata | kFactsTruncatedTags);
}

TEST(TraceFactsTest, ListModelsWhateverElseIsIndexed) {
  TraceFacts sum;
  for (int i = 0; i < 200; ++i) {
    OtlpSpan span = Span(static_cast<uint8_t>(i + 1), 1, 50);
    SetText(&span, "gen_ai.tool.name", "tool " + std::to_string(i));
    if (i == 150) SetText(&span, "gen_ai.request.model", "the model");
    if (i == 160) SetText(&span, "gen_ai.request.model", std::string(250, 'm'));
    MergeFacts(FactsOf(span), &sum);
  }
  EXPECT_THAT(sum.models(), testing::ElementsAre(std::string(250, 'm'), "the model"));
  EXPECT_EQ(sum.truncated(), 0u);
}

TEST(TraceFactsTest, SessionAndNamesSayWhetherTheyAreWhole) {
  OtlpSpan root = Span(1, 0, 50);
  SetText(&root, "session.id", std::string(251, 's'));
  SetText(&root, "user.id", "u");
  root.set_name(std::string(5000, 'r'));
  OtlpSpan child = Span(2, 1, 40);
  SetText(&child, "session.id", "short");
  SetText(&child, "user.id", std::string(251, 'u'));
  TraceFacts sum = FactsOf(root, 1);
  EXPECT_EQ(sum.truncated(),
            kFactsTruncatedSession | kFactsTruncatedRootName | kFactsTruncatedFirstName);
  MergeFacts(FactsOf(child, 2), &sum);
  EXPECT_EQ(sum.truncated(), kFactsTruncatedSession | kFactsTruncatedRootName)
      << "the first session and user stay, the child started first";
  sum = FactsOf(child, 2);
  MergeFacts(FactsOf(root, 1), &sum);
  EXPECT_EQ(sum.truncated(), kFactsTruncatedUser | kFactsTruncatedRootName);
}

TEST(TraceFactsTest, KnowWhatAJudgementWasMadeOf) {
  TraceFacts facts;
  EXPECT_EQ(JudgedBy(facts), "");
  (*facts.mutable_metadata())["assay_judged"] = "experiments/e/traces/t";
  EXPECT_EQ(JudgedBy(facts), "") << "somebody's own metadata";
  (*facts.mutable_metadata())["assay_judge_call"] = "quality";
  EXPECT_EQ(JudgedBy(facts), "experiments/e/traces/t");
}

TEST(TraceFactsTest, CountWhatModelsUsed_NotWhatAgentsRepeat) {
  TraceFacts facts;
  facts.set_schema_version(1);
  auto add = [&](const std::string& id, const std::string& parent, bool model, int64_t tokens) {
    auto* used = facts.add_span_usage();
    used->set_span_id(id);
    used->set_parent_span_id(parent);
    used->set_model(model);
    used->mutable_usage()->set_total_tokens(tokens);
    return used;
  };
  add("agent001", "", false, 30);
  add("chain001", "agent001", false, 10);
  add("chain002", "", false, 5);
  EXPECT_EQ(UsageOf(facts).total_tokens(), 35) << "the topmost of those that call no models";
  add("model001", "chain001", true, 7)->mutable_usage()->set_total_nano_usd(3);
  add("model002", "chain001", true, 8);
  EXPECT_EQ(UsageOf(facts).total_tokens(), 15);
  EXPECT_EQ(UsageOf(facts).total_nano_usd(), 3);
}

TEST(TraceFactsTest, LetTheHighestCompletionWin) {
  TraceFacts facts;
  for (int64_t generation : {2, 3, 1}) {
    TraceFacts one;
    one.set_schema_version(1);
    one.mutable_completion()->set_generation(generation);
    MergeFacts(one, &facts);
  }
  EXPECT_EQ(facts.completion().generation(), 3);
}

TEST(TraceFactsTest, AreNothingWithoutSpans) {
  TraceFacts sum;
  MergeFacts(TraceFacts(), &sum);
  EXPECT_EQ(sum.schema_version(), 0u);
  MergeFacts(FactsOf(Span(1, 0, 50)), &sum);
  EXPECT_EQ(SpanCount(sum), 1);
}

}  // namespace
}  // namespace assay::trace
