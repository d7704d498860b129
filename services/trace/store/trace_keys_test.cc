#include "services/trace/store/trace_keys.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/escaping.h"
#include "common/status/status_matchers.h"

namespace assay::trace {
namespace {

TraceId Trace(int last) {
  std::string bytes(16, '\x10');
  bytes[15] = static_cast<char>(last);
  return *TraceId::FromBytes(bytes);
}

std::string Hex(const std::string& key) { return absl::BytesToHexString(key); }

const AssessmentIndex kQuality{"e", false, "q"};

TEST(TraceKeysTest, HaveTheseBytesForEver) {
  const std::string id = "10101010101010101010101010101001";
  const std::string lifetime =
      "00000007"
      "0000000000000102";
  EXPECT_EQ(Hex(keys::Chunk(Trace(1), 258, {7, 258})), "010c" + id + "0000000000000102" + lifetime);
  EXPECT_EQ(Hex(keys::Directory(Trace(1), 1, {7, 258})),
            "010d" + id + "0000000000000001" + lifetime);
  EXPECT_EQ(Hex(keys::Binding(Trace(1))), "0102" + id);
  EXPECT_EQ(Hex(keys::Facts(Trace(1))), "0103" + id);
  EXPECT_EQ(Hex(keys::Time(7, {1, Trace(1)})),
            "010e00000007"
            "fffffffffffffffe" +
                id);
  EXPECT_EQ(Hex(keys::Term(7, "f", "v", {1, Trace(1)})),
            "010f00000007"
            "660001760001"
            "fffffffffffffffe" +
                id);
  EXPECT_EQ(Hex(keys::BoundValue(258)), "0000000000000102");
  EXPECT_EQ(Hex(keys::DueTrace({258, {Trace(1)}})), "01100000000000000102" + id);
  EXPECT_EQ(Hex(keys::DueSession(258, 7, "s")), "0111000000000000010200000007730001");
  EXPECT_EQ(Hex(keys::Session(7, "s")), "011200000007730001");
  EXPECT_EQ(Hex(keys::SessionActivity(7, 1, "s")), "011300000007fffffffffffffffe730001");
  EXPECT_EQ(Hex(keys::Feed(258)), "01140000000000000102");
  EXPECT_EQ(Hex(keys::Usage(7, 258)), "0115000000070000000000000102");
  EXPECT_EQ(Hex(keys::Number("e")), "0116650001");
  EXPECT_EQ(Hex(keys::Policy(7)), "011700000007");
  EXPECT_EQ(Hex(keys::Outbox(258)), "01180000000000000102");
  EXPECT_EQ(Hex(keys::ByName(kQuality, Trace(1), "r")),
            "0105650001"
            "00"
            "710001" +
                id + "720001");
  EXPECT_EQ(Hex(keys::Assessment(Trace(1), "r")), "0106" + id + "720001");
  EXPECT_EQ(Hex(keys::Applied("s")), "0107730001");
  EXPECT_EQ(Hex(keys::Pending("e")), "0108650001");
  EXPECT_EQ(Hex(keys::Known("e")), "0109650001");
  EXPECT_EQ(Hex(keys::Epoch()), "010a");
  EXPECT_EQ(Hex(keys::Request({"p", "m", "i", ""})), "010b7000016d0001690001");
}

TEST(TraceKeysTest, DecodersInvertEncoders) {
  TraceId trace;
  uint64_t sequence = 0;
  keys::Lifetime lifetime;
  EXPECT_OK(
      keys::DecodeChunk(keys::Chunk(Trace(3), 1ull << 40, {5, 9}), &trace, &sequence, &lifetime));
  EXPECT_EQ(lifetime, (keys::Lifetime{5, 9}));
  EXPECT_EQ(trace, Trace(3));
  EXPECT_EQ(sequence, 1ull << 40);

  std::string experiment;
  uint32_t number = 0;
  TracePosition position;
  EXPECT_OK(keys::DecodeTime(keys::Time(3, {77, Trace(4)}), &number, &position));
  EXPECT_EQ(number, 3u);
  EXPECT_EQ(position, (TracePosition{77, Trace(4)}));
  std::string field;
  std::string value;
  EXPECT_OK(keys::DecodeTerm(keys::Term(4, "tags.a", std::string("x\0y", 3), {78, Trace(5)}),
                             &number, &field, &value, &position));
  EXPECT_EQ(number, 4u);
  EXPECT_EQ(field, "tags.a");
  EXPECT_EQ(value, std::string("x\0y", 3));
  EXPECT_EQ(position, (TracePosition{78, Trace(5)}));
  uint64_t time = 0;
  for (const DueTraces& due : {DueTraces{6, {Trace(7)}}, {6, {Trace(7), Trace(2), Trace(9)}, 5}}) {
    DueTraces read;
    EXPECT_OK(keys::DecodeDueTrace(keys::DueTrace(due), keys::DueTraceValue(due), &read));
    EXPECT_EQ(read.due_ms, 6u);
    EXPECT_EQ(read.traces, due.traces);
    EXPECT_EQ(read.sequence, due.sequence);
  }
  const DueTraces with_states{
      6, {Trace(7), Trace(2)}, 5, {DueState{3, 4, true, "s"}, std::nullopt}};
  DueTraces read;
  EXPECT_OK(
      keys::DecodeDueTrace(keys::DueTrace(with_states), keys::DueTraceValue(with_states), &read));
  EXPECT_EQ(read.traces, with_states.traces);
  EXPECT_EQ(read.sequence, 5u);
  ASSERT_EQ(read.states.size(), 2u);
  ASSERT_TRUE(read.states[0].has_value());
  EXPECT_EQ(read.states[0]->experiment_number, 3u);
  EXPECT_EQ(read.states[0]->bound_ms, 4u);
  EXPECT_TRUE(read.states[0]->root_ended);
  EXPECT_EQ(read.states[0]->session, "s");
  EXPECT_FALSE(read.states[1].has_value());
  EXPECT_FALSE(keys::DecodeDueTrace(keys::DueTrace(with_states), "", &read).ok());
  DueTraces damaged;
  EXPECT_FALSE(keys::DecodeDueTrace(keys::DueTrace({6, {Trace(7)}}), "short", &damaged).ok());
  EXPECT_OK(keys::DecodeDueSession(keys::DueSession(8, 9, "s"), &time, &number, &value));
  EXPECT_EQ(value, "s");
  EXPECT_OK(keys::DecodeSession(keys::Session(9, "t"), &number, &value));
  EXPECT_EQ(value, "t");
  EXPECT_OK(keys::DecodeSessionActivity(keys::SessionActivity(9, 11, "u"), &number, &time, &value));
  EXPECT_EQ(time, 11u);
  EXPECT_OK(keys::DecodeFeed(keys::Feed(12), &time));
  EXPECT_EQ(time, 12u);
  EXPECT_OK(keys::DecodeUsage(keys::Usage(1, 13), &number, &time));
  EXPECT_EQ(time, 13u);
  EXPECT_OK(keys::DecodeNumber(keys::Number("n"), &value));
  EXPECT_EQ(value, "n");
  EXPECT_OK(keys::DecodePolicy(keys::Policy(14), &number));
  EXPECT_EQ(number, 14u);
  EXPECT_OK(keys::DecodeOutbox(keys::Outbox(15), &time));
  EXPECT_EQ(time, 15u);

  AssessmentIndex index;
  std::string resource;
  EXPECT_OK(keys::DecodeByName(keys::ByName({"x", true, std::string("a\0b", 3)}, Trace(5), "res"),
                               &index, &trace, &resource));
  EXPECT_EQ(index.experiment, "x");
  EXPECT_TRUE(index.expectation);
  EXPECT_EQ(index.assessment_name, std::string("a\0b", 3));
  EXPECT_EQ(trace, Trace(5));
  EXPECT_EQ(resource, "res");

  EXPECT_OK(keys::DecodeAssessment(keys::Assessment(Trace(6), "r6"), &trace, &resource));
  EXPECT_EQ(resource, "r6");
  EXPECT_OK(keys::DecodePending(keys::Pending("p"), &experiment));
  EXPECT_EQ(experiment, "p");
}

TEST(TraceKeysTest, DecodersRefuseOtherKeys) {
  TraceId trace;
  uint64_t sequence = 0;
  std::string text;
  TracePosition position;
  AssessmentIndex index;
  keys::Lifetime lifetime;
  uint32_t number = 0;
  const std::string chunk = keys::Chunk(Trace(1), 1, {1, 1});
  for (const std::string& bad : {std::string(), chunk.substr(0, 20), chunk + "x",
                                 keys::Binding(Trace(1)), "\x02" + chunk.substr(1)}) {
    EXPECT_THAT(keys::DecodeChunk(bad, &trace, &sequence, &lifetime),
                StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(keys::DecodeTime(bad, &number, &position), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(keys::DecodeByName(bad, &index, &trace, &text),
                StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(keys::DecodeAssessment(bad, &trace, &text), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(keys::DecodePending(bad, &text), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(TraceKeysTest, TimeKeysSortByExperimentThenLatestThenTrace) {
  std::mt19937 random(7);
  const std::vector<uint32_t> experiments = {1, 2, 256, 65'536};
  std::vector<std::tuple<uint32_t, uint64_t, int>> tuples;
  for (int i = 0; i < 500; ++i) {
    tuples.emplace_back(experiments[random() % 4], random() % 3 == 0 ? random() : random() % 4,
                        static_cast<int>(random() % 100));
  }
  auto key = [](const auto& t) {
    return keys::Time(std::get<0>(t), {std::get<1>(t), Trace(std::get<2>(t))});
  };
  for (size_t i = 1; i < tuples.size(); ++i) {
    const auto& [e1, s1, t1] = tuples[i - 1];
    const auto& [e2, s2, t2] = tuples[i];
    const bool less = std::tie(e1, s2, t1) < std::tie(e2, s1, t2);
    EXPECT_EQ(key(tuples[i - 1]) < key(tuples[i]), less);
  }
}

TEST(TraceKeysTest, PrefixesHoldExactlyTheirKeys) {
  EXPECT_TRUE(keys::Time(7, {1, Trace(1)}).starts_with(keys::TimePrefix(7)));
  EXPECT_FALSE(keys::Time(8, {1, Trace(1)}).starts_with(keys::TimePrefix(7)));
  EXPECT_FALSE(keys::Term(7, "f", "vv", {1, Trace(1)}).starts_with(keys::TermPrefix(7, "f", "v")));
  EXPECT_FALSE(keys::Term(7, "ff", "v", {1, Trace(1)}).starts_with(keys::TermPrefix(7, "f", "v")));
}

TEST(TraceKeysTest, LongTermValuesAreCutButStayApart) {
  const std::string a(65, 'x');
  const std::string b = std::string(64, 'x') + "y";
  EXPECT_EQ(keys::TermValue(a.substr(1)), a.substr(1));
  EXPECT_EQ(keys::TermValue(a).size(), 64u);
  EXPECT_NE(keys::TermValue(a), keys::TermValue(b));
}

TEST(TraceKeysTest, PrefixesOfAssessmentsHoldExactlyTheirKeys) {
  EXPECT_FALSE(
      keys::ByName({"e", false, "qq"}, Trace(1), "r").starts_with(keys::ByNamePrefix(kQuality)));
  EXPECT_FALSE(
      keys::ByName({"e", true, "q"}, Trace(1), "r").starts_with(keys::ByNamePrefix(kQuality)));
}

}  // namespace
}  // namespace assay::trace
