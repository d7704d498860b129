#include "services/trace/core/attribute_mapping.h"

#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/trace/core/attribute_json.h"
#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {
namespace {

using AnyValue = opentelemetry::proto::common::v1::AnyValue;

std::string Json(const AnyValue& value) {
  std::string text;
  AppendAnyValueJson(value.SerializeAsString(), &text);
  return text;
}

TEST(AttributeJsonTest, WritesEachKindOfValue) {
  AnyValue value;
  EXPECT_EQ(Json(value), "null");
  value.set_string_value("say \"hi\"\n");
  EXPECT_EQ(Json(value), R"("say \"hi\"\n")");
  value.set_bool_value(true);
  EXPECT_EQ(Json(value), "true");
  value.set_int_value(-9'007'199'254'740'993);
  EXPECT_EQ(Json(value), "-9007199254740993");
  value.set_double_value(0.1);
  EXPECT_EQ(Json(value), "0.1");
  value.set_double_value(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(Json(value), "\"NaN\"");
  value.set_double_value(-std::numeric_limits<double>::infinity());
  EXPECT_EQ(Json(value), "\"-Infinity\"");
  value.set_bytes_value("\x01\x02");
  EXPECT_EQ(Json(value), "\"AQI=\"");
}

TEST(AttributeJsonTest, WritesListsAndObjectsAndTheLastOfEqualKeys) {
  AnyValue value;
  auto* list = value.mutable_kvlist_value();
  auto add = [&](const char* key) {
    auto* member = list->add_values();
    member->set_key(key);
    return member->mutable_value();
  };
  add("a")->set_int_value(1);
  auto* items = add("b")->mutable_array_value();
  items->add_values()->set_string_value("x");
  items->add_values();
  add("a")->set_int_value(2);
  EXPECT_EQ(Json(value), R"({"a":2,"b":["x",null]})");
}

TEST(AttributeJsonTest, TakesADocumentInAStringAsItIs) {
  AnyValue value;
  value.set_string_value(R"({"z": 1, "a": 12345678901234567890})");
  EXPECT_EQ(PayloadJson(value.SerializeAsString()), value.string_value());
  value.set_string_value("just text");
  EXPECT_EQ(PayloadJson(value.SerializeAsString()), "\"just text\"");
  value.set_string_value("");
  EXPECT_EQ(PayloadJson(value.SerializeAsString()), "\"\"");
}

TEST(AttributeMappingTest, ReadsEveryConvention) {
  for (auto [in, out] : {std::pair("assay.inputs", "assay.outputs"),
                         {"mlflow.spanInputs", "mlflow.spanOutputs"},
                         {"input.value", "output.value"},
                         {"gen_ai.input.messages", "gen_ai.output.messages"}}) {
    OtlpSpan span;
    SetText(&span, in, R"({"question": "why?"})");
    SetText(&span, out, "because");
    const Payloads payloads = PayloadsOf(span.SerializeAsString());
    EXPECT_EQ(payloads.inputs, R"({"question": "why?"})");
    EXPECT_EQ(payloads.outputs, "\"because\"");
  }
}

TEST(AttributeMappingTest, PrefersTheEarlierConvention) {
  OtlpSpan span;
  SetText(&span, "gen_ai.input.messages", "3");
  SetText(&span, "mlflow.spanInputs", "1");
  SetText(&span, "input.value", "2");
  EXPECT_EQ(PayloadsOf(span.SerializeAsString()).inputs, "1");
  EXPECT_EQ(PayloadsOf(span.SerializeAsString()).outputs, "");
}

TEST(AttributeMappingTest, ReadsSessionAndUserWithinBounds) {
  OtlpSpan span;
  SetText(&span, "session.id", std::string(300, 's'));
  auto* user = span.add_attributes();
  user->set_key("user.id");
  user->mutable_value()->set_int_value(42);
  const Identity identity = IdentityOf(span.SerializeAsString());
  EXPECT_EQ(identity.session, std::string(kMaxIdentityChars, 's'));
  EXPECT_EQ(identity.user, "42");
}

}  // namespace
}  // namespace assay::trace
