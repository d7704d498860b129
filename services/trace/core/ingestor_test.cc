#include "services/trace/core/ingestor.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/clock/fake_clock.h"
#include "common/compress/compress.h"
#include "common/exec/executor.h"
#include "common/status/status_matchers.h"
#include "services/trace/testing/memory_trace_store.h"
#include "services/trace/testing/otlp_requests.h"

namespace assay::trace {
namespace {

using testing::HasSubstr;

class IngestorTest : public testing::Test {
 protected:
  absl::StatusOr<IngestResult> Export(IngestRequest request) {
    std::optional<absl::StatusOr<IngestResult>> answer;
    Ingestor ingestor(store_, executor_, options_, [this] { ++pokes_; });
    ingestor.Export(std::move(request),
                    [&](absl::StatusOr<IngestResult> result) { answer = std::move(result); });
    EXPECT_FALSE(answer.has_value()) << "answered inline";
    executor_.RunAll();
    EXPECT_TRUE(answer.has_value());
    EXPECT_EQ(ingestor.bytes_in_flight(), 0);
    return *answer;
  }
  absl::StatusOr<IngestResult> Export(const ExportRequest& request, RequestScope scope = {}) {
    return Export({.body = request.SerializeAsString(), .scope = std::move(scope)});
  }
  TraceBinding BindingOf(uint8_t trace) {
    absl::StatusOr<std::optional<StoredTrace>> stored = store_->GetTrace(TestTrace(trace));
    return stored.ok() && stored->has_value() ? (*stored)->binding : TraceBinding{"none"};
  }

  FakeClock clock_;
  ManualExecutor executor_;
  InMemoryTraceStore store_{executor_, clock_};
  IngestorOptions options_;
  int pokes_ = 0;
};

TEST_F(IngestorTest, StoresSpansOfSeveralExperiments) {
  ExportRequest request = OneSpan(1, "alpha");
  request.MergeFrom(OneSpan(2, "beta"));
  request.MergeFrom(OneSpan(3));
  absl::StatusOr<IngestResult> result = Export(request);
  ASSERT_OK(result);
  EXPECT_EQ(result->accepted, 3);
  EXPECT_EQ(result->message, "");
  EXPECT_EQ(BindingOf(1).experiment, "alpha");
  EXPECT_EQ(BindingOf(2).experiment, "beta");
  EXPECT_EQ(BindingOf(3).experiment, "default");
  EXPECT_THAT(*store_->PendingExperiments(10), testing::ElementsAre("alpha", "beta", "default"));
  EXPECT_EQ(pokes_, 1);
}

TEST_F(IngestorTest, TakesTheRequestsScopeWhereTheResourceSaysNothing) {
  ASSERT_OK(Export(OneSpan(1, "alpha"), {"header", "run-1"}));
  EXPECT_EQ(BindingOf(1), (TraceBinding{"alpha", "run-1"}));
  ASSERT_OK(Export(OneSpan(2), {"header", "run-1"}));
  EXPECT_EQ(BindingOf(2), (TraceBinding{"header", "run-1"}));
  ASSERT_OK(Export(OneSpan(3), {"", "experiments/x/evaluations/y"}));
  EXPECT_EQ(BindingOf(3), (TraceBinding{"x", "y"}));
  ASSERT_OK(Export(OneSpan(4, "experiments/full"), {}));
  EXPECT_EQ(BindingOf(4).experiment, "full");
}

TEST_F(IngestorTest, RejectsSpansOfImpossibleExperimentsOnly) {
  ExportRequest request = OneSpan(1, "Not A Slug");
  request.MergeFrom(OneSpan(2, "fine"));
  absl::StatusOr<IngestResult> result = Export(request);
  ASSERT_OK(result);
  EXPECT_EQ(result->accepted, 1);
  EXPECT_EQ(result->rejected, 1);
  EXPECT_EQ(result->message, "rejected: INVALID_EXPERIMENT 1 span");
  EXPECT_EQ(BindingOf(1).experiment, "none");

  result = Export(OneSpan(3, "alpha"), {"", "experiments/beta/evaluations/y"});
  ASSERT_OK(result);
  EXPECT_EQ(result->message, "rejected: INVALID_EVALUATION 1 span");
}

TEST_F(IngestorTest, KeepsTheFirstBindingOfATrace) {
  ASSERT_OK(Export(OneSpan(1, "alpha")));
  ASSERT_OK(Export(OneSpan(1, "beta")));
  EXPECT_EQ(BindingOf(1).experiment, "alpha");
  EXPECT_THAT(*store_->PendingExperiments(10), testing::ElementsAre("alpha"));
}

TEST_F(IngestorTest, SaysWhatItRejectedAndWhatIsOdd) {
  ExportRequest request;
  OtlpResourceSpans* resource = AddResource(&request);
  AddSpan(resource, 1, 1)->set_end_time_unix_nano(5);
  AddSpan(resource, 1, 2)->set_name("\xff");
  AddSpan(resource, 1, 3)->clear_span_id();
  absl::StatusOr<IngestResult> result = Export(request);
  ASSERT_OK(result);
  EXPECT_EQ(result->accepted, 1);
  EXPECT_EQ(result->rejected, 2);
  EXPECT_EQ(result->message,
            "rejected: INVALID_SPAN_ID 1 span, INVALID_UTF8 1 span; kept though they end before "
            "they start: 1 span");
}

TEST_F(IngestorTest, ReadsCompressedBodies) {
  const std::string body = *compress::Compress(OneSpan(1).SerializeAsString(), Encoding::kGzip);
  absl::StatusOr<IngestResult> result = Export({.body = body, .encoding = Encoding::kGzip});
  ASSERT_OK(result);
  EXPECT_EQ(result->accepted, 1);
}

TEST_F(IngestorTest, RefusesWhatIsTooLargeOrBroken) {
  options_.max_body_bytes = 1000;
  EXPECT_THAT(Export({.body = std::string(1001, 'x')}), HasReason("MESSAGE_TOO_LARGE"));
  EXPECT_THAT(Export({.body = *compress::Compress(std::string(100'000, 'x'), Encoding::kGzip),
                      .encoding = Encoding::kGzip}),
              HasReason("MESSAGE_TOO_LARGE"));
  EXPECT_THAT(Export({.body = "garbage", .encoding = Encoding::kGzip}),
              HasReason("MALFORMED_COMPRESSION"));
  EXPECT_THAT(Export({.body = "garbage"}), HasReason("MALFORMED_OTLP"));
  EXPECT_THAT(*store_->PendingExperiments(10), testing::IsEmpty());
}

TEST_F(IngestorTest, TellsClientsToRetryUnderPressure) {
  options_.max_body_bytes = 400;
  options_.max_bytes_in_flight = 0;  // Three bodies of 400 bytes: one copied request fits.
  Ingestor ingestor(store_, executor_, options_, nullptr);
  std::vector<absl::Status> answers;
  for (uint8_t i = 1; i <= 20; ++i) {
    ingestor.Export(
        {.body = OneSpan(i).SerializeAsString()},
        [&](absl::StatusOr<IngestResult> result) { answers.push_back(result.status()); });
  }
  executor_.RunAll();
  ASSERT_EQ(answers.size(), 20u);
  int refused = 0;
  for (const absl::Status& status : answers) {
    if (status.ok()) continue;
    ++refused;
    EXPECT_THAT(status, HasReason("OVERLOADED"));
    EXPECT_TRUE(RetryAfter(status).has_value());
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, 20);
  EXPECT_EQ(ingestor.bytes_in_flight(), 0);
}

TEST_F(IngestorTest, PassesOnErrorsOfTheStore) {
  store_.FailWritesWith(absl::UnavailableError("disk full"));
  EXPECT_THAT(Export(OneSpan(1)), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("disk full")));
}

TEST_F(IngestorTest, CompletesTracesThatTheirResourceCallsWhole) {
  std::vector<TraceId> asked;
  int64_t completed = 0;
  options_.complete = [&](const TraceId& trace, DoneStatus done) {
    asked.push_back(trace);
    executor_.Run([done = std::move(done)]() mutable {
      std::move(done)(absl::UnavailableError("the completion can wait"));
    });
  };
  options_.on_completed = [&](int64_t traces) { completed += traces; };
  ExportRequest request = OneSpan(1, "e");
  auto* whole = request.mutable_resource_spans(0)->mutable_resource()->add_attributes();
  whole->set_key("assay.complete");
  whole->mutable_value()->set_bool_value(true);
  request.MergeFrom(OneSpan(2, "e"));
  ASSERT_OK(Export(request));
  EXPECT_EQ(completed, 1);
  EXPECT_THAT(asked, testing::IsEmpty());

  ASSERT_OK(Export(OneSpan(3, "e")));
  request = OneSpan(3, "e");
  whole = request.mutable_resource_spans(0)->mutable_resource()->add_attributes();
  whole->set_key("assay.complete");
  whole->mutable_value()->set_string_value("true");
  ASSERT_OK(Export(request)) << "the spans are stored";
  EXPECT_THAT(asked, testing::ElementsAre(TestTrace(3)));
  EXPECT_EQ(completed, 1);
}

}  // namespace
}  // namespace assay::trace
