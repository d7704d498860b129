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
  EXPECT_EQ(Hex(keys::Chunk(Trace(1), 258)), "0101" + id + "0000000000000102");
  EXPECT_EQ(Hex(keys::Binding(Trace(1))), "0102" + id);
  EXPECT_EQ(Hex(keys::Facts(Trace(1))), "0103" + id);
  EXPECT_EQ(Hex(keys::Time("e", {1, Trace(1)})),
            "0104650001"
            "fffffffffffffffe" +
                id);
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
  EXPECT_OK(keys::DecodeChunk(keys::Chunk(Trace(3), 1ull << 40), &trace, &sequence));
  EXPECT_EQ(trace, Trace(3));
  EXPECT_EQ(sequence, 1ull << 40);

  std::string experiment;
  TracePosition position;
  EXPECT_OK(keys::DecodeTime(keys::Time("exp", {77, Trace(4)}), &experiment, &position));
  EXPECT_EQ(experiment, "exp");
  EXPECT_EQ(position, (TracePosition{77, Trace(4)}));

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
  const std::string chunk = keys::Chunk(Trace(1), 1);
  for (const std::string& bad : {std::string(), chunk.substr(0, 20), chunk + "x",
                                 keys::Binding(Trace(1)), "\x02" + chunk.substr(1)}) {
    EXPECT_THAT(keys::DecodeChunk(bad, &trace, &sequence), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(keys::DecodeTime(bad, &text, &position), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(keys::DecodeByName(bad, &index, &trace, &text),
                StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(keys::DecodeAssessment(bad, &trace, &text), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(keys::DecodePending(bad, &text), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST(TraceKeysTest, TimeKeysSortByExperimentThenLatestThenTrace) {
  std::mt19937 random(7);
  const std::vector<std::string> experiments = {"a", "a-b", "ab", "b"};
  std::vector<std::tuple<std::string, uint64_t, int>> tuples;
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
  EXPECT_TRUE(keys::Time("ab", {1, Trace(1)}).starts_with(keys::TimePrefix("ab")));
  EXPECT_FALSE(keys::Time("abc", {1, Trace(1)}).starts_with(keys::TimePrefix("ab")));
  EXPECT_FALSE(
      keys::ByName({"e", false, "qq"}, Trace(1), "r").starts_with(keys::ByNamePrefix(kQuality)));
  EXPECT_FALSE(
      keys::ByName({"e", true, "q"}, Trace(1), "r").starts_with(keys::ByNamePrefix(kQuality)));
}

}  // namespace
}  // namespace assay::trace
