#include "services/judge/clients/judgement_trace_exporter.h"

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/escaping.h"
#include "common/clock/timer.h"
#include "common/exec/executor.h"
#include "common/rpc/channel.h"
#include "common/sync/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/judge/clients/judgement_spans.h"

namespace assay::judge {
namespace {

using ::opentelemetry::proto::trace::v1::ResourceSpans;
using ::opentelemetry::proto::trace::v1::Span;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
namespace otlp = ::opentelemetry::proto::collector::trace::v1;

RecordedModelCall CallOf(const std::string& text) {
  RecordedModelCall call;
  call.model_uri = "openai:/gpt";
  call.messages = {{.role = ChatRole::kUser, .text = "Is it \"polite\"?"}};
  ModelResponse response;
  response.text = text;
  response.answered_by = "gpt-1";
  response.input_tokens = 7;
  response.output_tokens = 3;
  response.cost_usd = 0.25;
  call.response = response;
  call.start = absl::FromUnixSeconds(10);
  call.end = absl::FromUnixSeconds(11);
  return call;
}

JudgementTrace TraceOf(int number, int calls) {
  JudgementTrace trace;
  trace.experiment = "experiments/e";
  trace.trace_id = std::string(30, 'a') + std::to_string(10 + number);
  trace.assessment_name = "polite";
  trace.judge_revision = "experiments/e/judges/polite/revisions/2";
  trace.judged = "experiments/e/traces/t";
  trace.value = "\"yes\"";
  trace.start = absl::FromUnixSeconds(10);
  trace.end = absl::FromUnixSeconds(12);
  for (int i = 0; i < calls; ++i) trace.calls.push_back(CallOf("answer"));
  return trace;
}

ResourceSpans SpansOf(const JudgementTrace& trace) {
  ResourceSpans resource;
  WriteSpans(trace, &resource);
  return resource;
}

std::map<std::string, std::string> Texts(const Span& span) {
  std::map<std::string, std::string> texts;
  for (const auto& attribute : span.attributes()) {
    if (attribute.value().has_string_value()) {
      texts[attribute.key()] = attribute.value().string_value();
    }
  }
  return texts;
}

TEST(WriteSpans, PutsAnOnlyCallIntoTheRoot) {
  const ResourceSpans resource = SpansOf(TraceOf(1, 1));
  ASSERT_THAT(resource.scope_spans(0).spans(), SizeIs(1));
  const Span& root = resource.scope_spans(0).spans(0);
  EXPECT_EQ(root.name(), "judge polite");
  EXPECT_EQ(absl::BytesToHexString(root.trace_id()), std::string(30, 'a') + "11");
  EXPECT_TRUE(root.parent_span_id().empty());
  auto texts = Texts(root);
  EXPECT_EQ(texts["assay.metadata.assay_judge_call"], "polite");
  EXPECT_EQ(texts["assay.metadata.assay_judged"], "experiments/e/traces/t");
  EXPECT_EQ(texts["gen_ai.response.model"], "gpt-1");
  EXPECT_THAT(texts["gen_ai.input.messages"], HasSubstr(R"("content":"Is it \"polite\"?")"));
  EXPECT_EQ(texts["assay.outputs"], "\"yes\"");
}

TEST(WriteSpans, GivesSeveralCallsASpanEachUnderTheRoot) {
  const ResourceSpans resource = SpansOf(TraceOf(1, 2));
  ASSERT_THAT(resource.scope_spans(0).spans(), SizeIs(3));
  const Span& root = resource.scope_spans(0).spans(0);
  std::set<std::string> ids = {root.span_id()};
  for (int i : {1, 2}) {
    const Span& call = resource.scope_spans(0).spans(i);
    EXPECT_EQ(call.parent_span_id(), root.span_id());
    EXPECT_EQ(Texts(call)["gen_ai.request.model"], "openai:/gpt");
    EXPECT_TRUE(ids.insert(call.span_id()).second);
  }
  EXPECT_EQ(Texts(root).count("gen_ai.request.model"), 0u);
}

TEST(WriteSpans, IsTheSameForARepeatedJudgement) {
  EXPECT_EQ(SpansOf(TraceOf(1, 2)).SerializeAsString(), SpansOf(TraceOf(1, 2)).SerializeAsString());
}

TEST(WriteSpans, SaysWhyThereIsNoVerdict) {
  JudgementTrace trace = TraceOf(1, 1);
  trace.error_code = "ANSWER_UNREADABLE";
  trace.error_message = "no JSON";
  const Span root = SpansOf(trace).scope_spans(0).spans(0);
  EXPECT_EQ(root.status().message(), "no JSON");
  EXPECT_EQ(Texts(root)["error.type"], "ANSWER_UNREADABLE");
}

TEST(CallRecorder, LeavesOutTheMessagesBeyondItsBound) {
  CallRecorder recorder;
  for (int i = 0; i < 3; ++i) {
    RecordedModelCall call = CallOf("a");
    call.messages[0].text = std::string(CallRecorder::kMaxBytes / 2, 'x');
    recorder.Add(std::move(call));
  }
  const auto [calls, left_out] = recorder.Take();
  ASSERT_THAT(calls, SizeIs(3));
  EXPECT_FALSE(calls[1].messages_left_out);
  EXPECT_TRUE(calls[2].messages_left_out);
  EXPECT_EQ(left_out, 0u);
}

class Otlp final : public otlp::TraceService::Service {
 public:
  grpc::Status Export(grpc::ServerContext*, const otlp::ExportTraceServiceRequest* request,
                      otlp::ExportTraceServiceResponse*) override {
    MutexLock lock(&mutex);
    sizes.push_back(request->resource_spans_size());
    return grpc::Status(answer, "no");
  }
  Mutex mutex;
  std::vector<int> sizes;
  grpc::StatusCode answer = grpc::StatusCode::OK;
};

class ExporterTest : public testing::Test {
 protected:
  ExporterTest() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&otlp_);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~ExporterTest() override { server_->Shutdown(); }

  std::unique_ptr<JudgementTraceExporter> Make(JudgementTraceExporter::Options options) {
    rpc::RetryEnvironment retries;
    retries.executor = &pool_;
    retries.timers = &timers_;
    retries.policy.max_attempts = 1;
    return std::make_unique<JudgementTraceExporter>(rpc::MakeChannel(address_), address_, retries,
                                                    &SystemClock(), &metrics_, options);
  }

  Otlp otlp_;
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
  rpc::Metrics metrics_;
  ThreadPool pool_{"test", 2};
  ThreadTimerQueue timers_;
};

TEST_F(ExporterTest, SendsManyInOneRequestAndTheRestAtTheEnd) {
  auto exporter = Make({.batch_traces = 3, .max_delay = absl::Hours(1)});
  for (int i = 0; i < 4; ++i) exporter->Record(TraceOf(i, 1));
  exporter->Close(absl::InfiniteDuration());
  int sent = 0;
  for (int size : otlp_.sizes) sent += size;
  EXPECT_EQ(sent, 4);
  EXPECT_LE(otlp_.sizes.size(), 2u);
}

TEST_F(ExporterTest, SendsAfterTheDelay) {
  auto exporter = Make({.batch_traces = 100, .max_delay = absl::Milliseconds(1)});
  exporter->Record(TraceOf(1, 1));
  exporter->Close(absl::InfiniteDuration());
  EXPECT_THAT(otlp_.sizes, ElementsAre(1));
}

TEST_F(ExporterTest, CountsWhatItLeavesOut) {
  auto exporter = Make({.batch_traces = 100, .max_waiting_bytes = 100});
  exporter->Record(TraceOf(1, 1));
  exporter->Close(absl::InfiniteDuration());
  exporter->Record(TraceOf(2, 1));
  EXPECT_TRUE(otlp_.sizes.empty());
  EXPECT_THAT(metrics_.Text(), HasSubstr("assay_judge_traces_left_out_total 2"));
}

TEST_F(ExporterTest, CountsABatchThatWasRefused) {
  otlp_.answer = grpc::StatusCode::INVALID_ARGUMENT;
  auto exporter = Make({.batch_traces = 2});
  for (int i = 0; i < 2; ++i) exporter->Record(TraceOf(i, 1));
  exporter->Close(absl::InfiniteDuration());
  EXPECT_THAT(metrics_.Text(), HasSubstr("assay_judge_traces_left_out_total 2"));
}

}  // namespace
}  // namespace assay::judge
