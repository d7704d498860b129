#include "common/rpc/status_conversion.h"

#include <string>

#include "absl/status/status.h"
#include "common/rpc/status_proto.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "common/strings/strings.h"
#include "gmock/gmock.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace assay::rpc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

absl::Status ThereAndBack(const absl::Status& status) {
  return FromGrpcStatus(ToGrpcStatus(status));
}

TEST(StatusConversionTest, OkStaysOk) {
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_OK(ThereAndBack(absl::OkStatus()));
}

TEST(StatusConversionTest, KeepsCodeMessageAndDetails) {
  const absl::Status status = ThereAndBack(InvalidField("judge.name", "is empty"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is empty")));
  EXPECT_THAT(status, HasReason("INVALID_FIELD"));
  EXPECT_THAT(status, HasFieldViolation("judge.name"));
}

TEST(StatusConversionTest, KeepsRetryInfo) {
  EXPECT_EQ(RetryAfter(ThereAndBack(Overloaded("queue", absl::Milliseconds(1500)))),
            absl::Milliseconds(1500));
}

TEST(StatusConversionTest, GivesEveryErrorAReason) {
  const absl::Status status = ThereAndBack(absl::NotFoundError("no such thing"));
  EXPECT_THAT(status, HasReason("NOT_FOUND"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound, "no such thing"));
}

TEST(StatusConversionTest, HidesMessagesOfUnknownInternalErrors) {
  const absl::Status status = ThereAndBack(absl::InternalError("/secret/path: disk says no"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal, Not(HasSubstr("secret"))));
  EXPECT_THAT(status, HasReason("INTERNAL"));
}

TEST(StatusConversionTest, KeepsMessagesOfInternalErrorsThatWereMeantForClients) {
  const absl::Status status =
      ThereAndBack(MakeError(absl::StatusCode::kInternal, "STORE_CORRUPT", "the store is corrupt"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal, "the store is corrupt"));
}

TEST(StatusConversionTest, DoesNotCarryUnknownPayloads) {
  absl::Status status = absl::NotFoundError("x");
  status.SetPayload("type.googleapis.com/google.rpc.DebugInfo", absl::Cord("stack"));
  EXPECT_THAT(ToGrpcStatus(status).error_details(), Not(HasSubstr("DebugInfo")));
}

TEST(StatusConversionTest, CapsDetailsAndCountsWhatWasLeftOut) {
  absl::Status status = InvalidField("first", "is wrong");
  for (int i = 0; i < 60; ++i) {
    status = AddErrorMetadata(status, StrCat("key", 100 + i), std::string(200, 'v'));
  }
  const grpc::Status grpc_status = ToGrpcStatus(status);
  EXPECT_LE(grpc_status.error_details().size(), kMaxStatusProtoBytes);
  const absl::Status back = FromGrpcStatus(grpc_status);
  EXPECT_THAT(back, HasFieldViolation("first"));
  ASSERT_TRUE(ErrorMetadata(back, "metadata_left_out").has_value());
  EXPECT_GT(std::stoi(*ErrorMetadata(back, "metadata_left_out")), 30);
  EXPECT_EQ(ErrorMetadata(back, "key100"), std::string(200, 'v'));
}

TEST(StatusConversionTest, DropsTrailingViolationsFirst) {
  FieldErrors errors;
  for (int i = 0; i < 300; ++i) errors.Add(StrCat("rows[", i, "]"), std::string(100, 'x'));
  absl::Status status = errors.ToStatus();
  status = AddErrorMetadata(status, "padding", std::string(500, 'p'));
  status = AddErrorMetadata(status, "padding2", std::string(500, 'p'));
  status = AddErrorMetadata(status, "padding3", std::string(500, 'p'));
  const absl::Status back = ThereAndBack(status);
  EXPECT_LE(ToGrpcStatus(status).error_details().size(), kMaxStatusProtoBytes);
  EXPECT_THAT(back, HasFieldViolation("rows[0]"));
  EXPECT_EQ(ErrorMetadata(back, "padding3"), std::string(500, 'p'));
  const size_t carried = FieldViolations(back).size();
  EXPECT_EQ(ErrorMetadata(back, "violations_left_out"), StrCat(300 - carried));
}

TEST(StatusConversionTest, CutsLongMessagesBetweenCharacters) {
  std::string message;
  for (int i = 0; i < 2000; ++i) message += "é";
  const grpc::Status status = ToGrpcStatus(absl::NotFoundError(message));
  EXPECT_LE(status.error_message().size() * 3, 1024u);
  EXPECT_EQ(status.error_message().size() % 2, 0u);
}

TEST(StatusConversionTest, SurvivesBytesThatAreNotText) {
  const absl::Status status = ThereAndBack(absl::NotFoundError("\xff\xfe"));
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  google::rpc::Status proto;
  EXPECT_TRUE(proto.ParseFromString(ToGrpcStatus(absl::NotFoundError("\xff")).error_details()));
}

TEST(StatusConversionTest, IgnoresUnreadableDetails) {
  const absl::Status status =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::ABORTED, "message", "\x01garbage"));
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kAborted, "message"));
}

TEST(StatusConversionTest, MakesUnknownOfCodesOutOfRange) {
  google::rpc::Status proto;
  proto.set_code(99);
  EXPECT_EQ(FromStatusProto(proto).code(), absl::StatusCode::kUnknown);
  proto.set_code(-1);
  EXPECT_EQ(FromStatusProto(proto).code(), absl::StatusCode::kUnknown);
}

}  // namespace
}  // namespace assay::rpc
