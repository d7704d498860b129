#include "services/registry/store/registry_keys.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "common/status/status_matchers.h"

namespace assay::registry {
namespace {

TEST(RegistryKeysTest, DecodersReadWhatEncodersWrote) {
  EXPECT_EQ(DecodeExperimentKey(ExperimentKey("support"))->experiment, "support");
  EXPECT_EQ(DecodeJudgeKey(JudgeKey({"support", "tone"}))->judge, "tone");
  const names::JudgeRevisionName name = *DecodeRevisionKey(RevisionKey({"support", "tone"}, 7));
  EXPECT_EQ(name.ToString(), "experiments/support/judges/tone/revisions/7");
}

TEST(RegistryKeysTest, NewerRevisionsComeFirst) {
  EXPECT_LT(RevisionKey({"e", "j"}, 10), RevisionKey({"e", "j"}, 9));
  EXPECT_LT(RevisionKey({"e", "j"}, 256), RevisionKey({"e", "j"}, 255));
}

TEST(RegistryKeysTest, NoTwoTuplesShareAKey) {
  EXPECT_NE(JudgeKey({"ab", "c"}), JudgeKey({"a", "bc"}));
}

TEST(RegistryKeysTest, RefusesForeignKeys) {
  EXPECT_THAT(DecodeJudgeKey(ExperimentKey("support")), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeExperimentKey(""), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(DecodeRevisionKey(JudgeKey({"e", "j"})), StatusIs(absl::StatusCode::kDataLoss));
}

TEST(RegistryKeysTest, TheBytesOnDiskStayAsTheyAre) {
  EXPECT_EQ(absl::BytesToHexString(ExperimentKey("a")), "0101610001");
  EXPECT_EQ(absl::BytesToHexString(JudgeKey({"a", "b"})), "0102610001620001");
  EXPECT_EQ(absl::BytesToHexString(RevisionKey({"a", "b"}, 1)), "01036100016200017ffffffffffffffe");
}

}  // namespace
}  // namespace assay::registry
