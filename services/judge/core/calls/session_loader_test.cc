#include "services/judge/core/calls/session_loader.h"

#include <optional>
#include <string>
#include <utility>

#include "common/exec/executor.h"
#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/testing/fake_ports.h"

namespace assay::judge {
namespace {

constexpr char kSession[] = "experiments/e/sessions/s";

class LoadSessionTest : public testing::Test {
 protected:
  trace::v1::Trace Trace(int number) {
    trace::v1::Trace trace;
    trace.set_name(StrCat("experiments/e/traces/", 1000 + number));
    trace.set_session("s");
    trace.mutable_inputs()->set_json_text("\"hello\"");
    trace.add_spans()->set_span_id("a");
    return trace;
  }

  absl::StatusOr<SessionTraces> Load(bool spans) {
    std::optional<absl::StatusOr<SessionTraces>> answer;
    LoadSession(traces_, kSession, spans, {}, [&](auto loaded) { answer = std::move(loaded); });
    EXPECT_FALSE(answer.has_value());
    executor_.RunAll();
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(absl::InternalError("no answer"));
  }

  ManualExecutor executor_;
  FakeTraces traces_{executor_};
};

TEST_F(LoadSessionTest, GivesTheTracesInOrder) {
  for (int i = 0; i < 20; ++i) traces_.Put(Trace(i));
  for (const bool spans : {false, true}) {
    ASSAY_ASSERT_OK_AND_ASSIGN(const SessionTraces loaded, Load(spans));
    ASSERT_EQ(loaded.size(), 20u);
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(loaded[static_cast<size_t>(i)]->name(), Trace(i).name());
      EXPECT_EQ(loaded[static_cast<size_t>(i)]->spans_size(), spans ? 1 : 0);
    }
  }
}

TEST_F(LoadSessionTest, FetchesWhatTheListLeavesOut) {
  trace::v1::Trace trace = Trace(1);
  trace.set_response_preview("The beginning of a long answer");
  traces_.Put(trace);
  ASSAY_ASSERT_OK_AND_ASSIGN(const SessionTraces loaded, Load(false));
  EXPECT_EQ(loaded.front()->spans_size(), 1) << "not the trace of the list";
}

TEST_F(LoadSessionTest, RefusesSessionsThatAreUnknownOrTooLarge) {
  EXPECT_THAT(Load(false), StatusIs(absl::StatusCode::kNotFound));
  trace::v1::Trace large = Trace(0);
  large.set_size_bytes(kMaxSessionBytes + 1);
  traces_.Put(large);
  EXPECT_THAT(Load(false), HasReason("SESSION_TOO_LARGE"));
  for (int i = 0; i <= kMaxSessionTraces; ++i) traces_.Put(Trace(i));
  EXPECT_THAT(Load(true), HasReason("SESSION_TOO_LARGE"));
}

TEST_F(LoadSessionTest, PassesOnWhatThePortSays) {
  traces_.Put(Trace(0));
  traces_.outage.Set(MakeError(absl::StatusCode::kUnavailable, "PEER_UNREACHABLE", "gone"));
  EXPECT_THAT(Load(true), HasReason("PEER_UNREACHABLE"));
}

}  // namespace
}  // namespace assay::judge
