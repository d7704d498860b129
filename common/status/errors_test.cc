#include "common/status/errors.h"

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::inline status {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Optional;

TEST(ErrorsTest, CarriesReasonAndMetadata) {
  const absl::Status status = MakeError(absl::StatusCode::kFailedPrecondition, "NO_CREDENTIALS",
                                        "no key for openai", {{"provider", "openai"}});
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, "no key for openai"));
  EXPECT_THAT(status, HasReason("NO_CREDENTIALS"));
  EXPECT_THAT(ErrorMetadata(status, "provider"), Optional(Eq("openai")));
  EXPECT_EQ(ErrorMetadata(status, "other"), std::nullopt);
}

TEST(ErrorsTest, NeverMakesAnErrorThatIsOk) {
  EXPECT_THAT(MakeError(absl::StatusCode::kOk, "X", "y"), StatusIs(absl::StatusCode::kInternal));
}

TEST(ErrorsTest, PlainStatusesHaveNoReason) {
  EXPECT_EQ(ErrorReason(absl::OkStatus()), "");
  EXPECT_EQ(ErrorReason(absl::InternalError("x")), "");
  EXPECT_THAT(FieldViolations(absl::InternalError("x")), IsEmpty());
  EXPECT_EQ(RetryAfter(absl::InternalError("x")), std::nullopt);
}

TEST(ErrorsTest, InvalidFieldNamesTheField) {
  const absl::Status status = InvalidField("judge.model_uri", "must look like provider:/model");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("judge.model_uri")));
  EXPECT_THAT(status, HasReason("INVALID_FIELD"));
  EXPECT_THAT(FieldViolations(status),
              ElementsAre(FieldViolation{"judge.model_uri", "must look like provider:/model"}));
  EXPECT_THAT(InvalidField("a", "b", "INVALID_NAME"), HasReason("INVALID_NAME"));
}

TEST(ErrorsTest, ResourceErrorsHaveTheirCodes) {
  EXPECT_THAT(NotFound("judge", "experiments/e/judges/j"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("experiments/e/judges/j")));
  EXPECT_THAT(AlreadyExists("judge", "j"), HasReason("RESOURCE_ALREADY_EXISTS"));
  EXPECT_THAT(EtagMismatch("j"), StatusIs(absl::StatusCode::kAborted));
  EXPECT_THAT(EtagMismatch("j"), HasReason("ETAG_MISMATCH"));
  EXPECT_THAT(PreconditionFailed("NO_KEY", "openai", "set a key"),
              StatusIs(absl::StatusCode::kFailedPrecondition, "openai: set a key"));
}

TEST(ErrorsTest, OverloadSaysWhenToRetry) {
  const absl::Status status = Overloaded("judge queue", absl::Milliseconds(1500));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(RetryAfter(status), Optional(absl::Milliseconds(1500)));
}

TEST(ErrorsTest, AddsMetadataAndKeepsDetails) {
  const absl::Status status = AddErrorMetadata(InvalidField("a", "b"), "column", "7");
  EXPECT_THAT(ErrorMetadata(status, "column"), Optional(Eq("7")));
  EXPECT_THAT(FieldViolations(status), ElementsAre(FieldViolation{"a", "b"}));
  EXPECT_OK(AddErrorMetadata(absl::OkStatus(), "a", "b"));
  EXPECT_THAT(AddErrorMetadata(absl::InternalError("x"), "a", "b"), HasReason("INTERNAL"));
}

TEST(ErrorsTest, PrefixKeepsDetails) {
  const absl::Status status = PrefixError("row 3", InvalidField("a", "b"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, "row 3: a: b"));
  EXPECT_THAT(status, HasFieldViolation("a"));
}

TEST(FieldErrorsTest, IsOkWithoutViolations) { EXPECT_OK(FieldErrors().ToStatus()); }

TEST(FieldErrorsTest, MergesViolationsOfSeveralFields) {
  FieldErrors errors;
  errors.Add("name", "is required");
  errors.Add("x", InvalidField("y", "is too long"));
  errors.Add("x", absl::InternalError("odd"));
  errors.Add("x", absl::OkStatus());
  EXPECT_THAT(FieldViolations(errors.ToStatus()),
              ElementsAre(FieldViolation{"name", "is required"}, FieldViolation{"y", "is too long"},
                          FieldViolation{"x", "odd"}));
}

TEST(FieldErrorsTest, StaysSmallAndCountsWhatIsLeftOut) {
  FieldErrors errors;
  for (int i = 0; i < 1000; ++i) errors.Add(absl::StrCat("rows[", i, "]"), std::string(5000, 'x'));
  const absl::Status status = errors.ToStatus();
  size_t bytes = status.message().size();
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    bytes += url.size() + payload.size();
  });
  EXPECT_LT(bytes, 4096u);
  const size_t carried = FieldViolations(status).size();
  EXPECT_GT(carried, 0u);
  EXPECT_THAT(ErrorMetadata(status, "violations_left_out"), Optional(absl::StrCat(1000 - carried)));
}

absl::StatusOr<int> Half(int x) {
  if (x % 2 != 0) return InvalidField("x", "must be even");
  return x / 2;
}

absl::StatusOr<int> Quarter(int x) {
  ASSAY_ASSIGN_OR_RETURN(const int half, Half(x));
  ASSAY_ASSIGN_OR_RETURN(int quarter, Half(half));
  ASSAY_RETURN_IF_ERROR(absl::OkStatus());
  return quarter;
}

TEST(StatusMacrosTest, PassesValuesAndReturnsErrors) {
  EXPECT_THAT(Quarter(8), IsOkAndHolds(2));
  EXPECT_THAT(Quarter(6), HasReason("INVALID_FIELD"));
  EXPECT_THAT(Quarter(6), Not(IsOk()));
  EXPECT_THAT(Quarter(6), Not(IsOkAndHolds(1)));
  ASSAY_ASSERT_OK_AND_ASSIGN(const int quarter, Quarter(12));
  EXPECT_EQ(quarter, 3);
}

}  // namespace
}  // namespace assay::inline status
