#include "common/json/json_value.h"

#include <google/protobuf/struct.pb.h>

#include <limits>
#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::json {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(JsonTextTest, ReturnsTextAsItCame) {
  const std::string text = R"({ "b": 1.10, "a": 12345678901234567890123 })";
  EXPECT_THAT(JsonText(JsonFromText(text), "inputs"), IsOkAndHolds(text));
  EXPECT_THAT(JsonText(JsonFromString("a \"b\""), "inputs"), IsOkAndHolds(R"("a \"b\"")"));
}

TEST(JsonTextTest, PrintsStructuredValues) {
  common::v1::JsonValue value;
  auto& fields = *value.mutable_value()->mutable_struct_value()->mutable_fields();
  fields["z"].set_number_value(3);
  fields["y"].set_number_value(0.1);
  fields["x"].set_number_value(-9007199254740992.0);
  fields["s"].set_string_value("é\n");
  fields["n"].set_null_value(google::protobuf::NULL_VALUE);
  fields["l"].mutable_list_value()->add_values()->set_bool_value(true);
  fields["l"].mutable_list_value()->add_values();
  fields["e"].mutable_struct_value();
  EXPECT_THAT(
      JsonText(value, "inputs"),
      IsOkAndHolds(std::string(
          R"({"e":{},"l":[true,null],"n":null,"s":"é\n","x":-9007199254740992,"y":0.1,"z":3})")));
}

TEST(JsonTextTest, RefusesAndNamesTheField) {
  EXPECT_THAT(JsonText({}, "rows[3].inputs"),
              AllOf(HasReason("INVALID_JSON"), HasFieldViolation("rows[3].inputs")));
  EXPECT_THAT(JsonText(JsonFromText("{"), "inputs"),
              AllOf(HasReason("INVALID_JSON"), HasFieldViolation("inputs"),
                    StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("byte"))));
  EXPECT_THAT(JsonText(JsonFromText("{\"a\":1}"), "inputs", {.max_bytes = 3}),
              HasFieldViolation("inputs"));
  common::v1::JsonValue value;
  value.mutable_value()->set_number_value(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(JsonText(value, "inputs"), HasFieldViolation("inputs"));
}

TEST(JsonTextTest, BoundsDepthOfStructuredValues) {
  common::v1::JsonValue value;
  google::protobuf::Value* inner = value.mutable_value();
  for (int i = 0; i < 100; ++i) inner = inner->mutable_list_value()->add_values();
  inner->set_bool_value(true);
  EXPECT_OK(JsonText(value, "inputs"));
  inner->mutable_list_value();
  EXPECT_THAT(JsonText(value, "inputs"), HasReason("INVALID_JSON"));
}

}  // namespace
}  // namespace assay::json
