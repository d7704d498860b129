// Exports, imports, and both one after the other.
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/otlp/json_reader.h"
#include "common/status/errors.h"
#include "services/trace/core/transfer/exporter.h"
#include "services/trace/core/transfer/importer.h"
#include "services/trace/testing/large_trace_fixture.h"

namespace assay::trace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

using Sink = ListSink<v1::ExportTracesResponse>;

// Gives prepared messages, then the end.
class ListSource final : public StreamSource<v1::ImportTracesRequest> {
 public:
  ListSource(Executor& executor, std::deque<v1::ImportTracesRequest> messages)
      : executor_(executor), messages_(std::move(messages)) {}
  void Read(Take take) override {
    std::optional<v1::ImportTracesRequest> next;
    if (on_read) on_read(given_);
    ++given_;
    if (!messages_.empty()) {
      next = std::move(messages_.front());
      messages_.pop_front();
    }
    executor_.Run([take = std::move(take), next = std::move(next)]() mutable {
      std::move(take)(std::move(next));
    });
  }

  std::function<void(uint8_t given)> on_read;  // Messages before this one.

 private:
  Executor& executor_;
  uint8_t given_ = 0;
  std::deque<v1::ImportTracesRequest> messages_;
};

class TransferTest : public LargeTraceTest {
 protected:
  std::string ExportText(const v1::ExportTracesRequest& request, std::vector<uint8_t> found) {
    sources_ = std::make_unique<TraceWalkSources>(Sources(std::move(found)));
    Exporter exporter(*sources_, gate_);
    sink_ = std::make_shared<Sink>(executor_);
    exporter.Export(context_, request, sink_);
    executor_.RunAll();
    EXPECT_THAT(sink_->finished, testing::Optional(IsOk()));
    std::string text;
    for (const v1::ExportTracesResponse& item : sink_->items) {
      EXPECT_THAT(item.data(), testing::EndsWith("\n"));
      text.append(item.data());
    }
    return text;
  }
  static v1::ExportTracesRequest Request(
      v1::ExportFormat format = v1::EXPORT_FORMAT_OTLP_JSON_LINES) {
    v1::ExportTracesRequest request;
    request.set_parent("experiments/e");
    request.set_format(format);
    return request;
  }
  absl::StatusOr<v1::ImportTracesResponse> Import(Importer& importer, const std::string& text,
                                                  size_t piece = 1000,
                                                  const std::string& parent = "experiments/e") {
    std::deque<v1::ImportTracesRequest> messages;
    for (size_t begin = 0; begin < text.size() || messages.empty(); begin += piece) {
      messages.emplace_back().set_data(text.substr(begin, piece));
    }
    messages.front().set_parent(parent);
    std::optional<absl::StatusOr<v1::ImportTracesResponse>> answer;
    importer.Import(context_, std::make_shared<ListSource>(executor_, std::move(messages)),
                    [&](auto response) { answer = std::move(response); });
    EXPECT_FALSE(answer.has_value()) << "answered inline";
    for (int i = 0; i < 100 && !answer.has_value(); ++i) {
      executor_.RunAll();
      clock_.Advance(absl::Seconds(1));
      timers_.RunDue();
    }
    return answer.value_or(absl::DeadlineExceededError("still waiting"));
  }
  absl::StatusOr<v1::ImportTracesResponse> Import(const std::string& text, size_t piece = 1000) {
    Importer importer(ingestor_, executor_, timers_, clock_);
    return Import(importer, text, piece);
  }
  // One line with one root span; ids by number.
  static std::string Line(uint8_t trace, const std::string& more = "") {
    return "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"" +
           TestTrace(trace).Hex() + "\",\"spanId\":\"" + NumberedSpan(1).Hex() +
           "\",\"name\":\"app\",\"startTimeUnixNano\":\"1000\",\"endTimeUnixNano\":\"2000\"" +
           more + "}]}]}]}\n";
  }

  CallContext context_;
  AdmissionGate gate_{2};
  std::unique_ptr<TraceWalkSources> sources_;
  std::shared_ptr<Sink> sink_;
};

TEST_F(TransferTest, ExportsLinesThatReadAsOtlp) {
  Export(1, 1, 3);
  Export(1, 4, 5);
  Export(1, 2, 2, "again");
  Export(2, 1, 1);
  const std::string text = ExportText(Request(), {2, 1});
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  ASSERT_THAT(lines, SizeIs(5));
  std::vector<int64_t> spans;
  for (const std::string& line : lines) {
    if (line.empty()) continue;
    absl::StatusOr<otlp::JsonReadResult> read = otlp::ReadTracesJson(line);
    ASSERT_OK(read);
    EXPECT_EQ(read->RejectedCount(), 0);
    spans.push_back(read->items);
  }
  EXPECT_THAT(spans, ElementsAre(1, 2, 2, 1));
  EXPECT_EQ(sink_->items.back().trace_count(), 2);
}

TEST_F(TransferTest, CutsLargeChunksIntoLinesOfBoundedSize) {
  Export(1, 1, 60, "step", size_t{100} << 10);
  const std::string text = ExportText(Request(), {1});
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
    EXPECT_LE(line.size(), size_t{1} << 20);
  }
  for (const v1::ExportTracesResponse& item : sink_->items) {
    EXPECT_LE(item.data().size(), size_t{2} << 20);
  }
}

TEST_F(TransferTest, TellsTheEvaluationThatCameBesideTheSpans) {
  ExportRequest request;
  AddSpan(AddResource(&request, "e"), 1, 1);
  ingestor_.Export({.body = request.SerializeAsString(), .scope = {"", "run"}},
                   [](absl::StatusOr<IngestResult> result) { EXPECT_OK(result); });
  executor_.RunAll();
  const std::string text = ExportText(Request(), {1});
  EXPECT_THAT(text,
              HasSubstr("{\"key\":\"assay.evaluation\",\"value\":{\"stringValue\":\"run\"}}"));
}

TEST_F(TransferTest, ExportsTables) {
  Export(1, 1, 2, "=cmd,\"x\"");
  const std::string traces = ExportText(Request(v1::EXPORT_FORMAT_CSV_TRACES), {1});
  EXPECT_THAT(traces, StartsWith("name,state,start_time,duration_ms,root_span_name,"));
  EXPECT_THAT(traces, HasSubstr("\r\n" + TraceName(1) +
                                ",IN_PROGRESS,1970-01-01T00:00:00.000001Z,0.0015,"
                                "\"=cmd,\"\"x\"\"\","));
  v1::ExportTracesRequest request = Request(v1::EXPORT_FORMAT_CSV_SPANS);
  request.set_escape_formulas(true);
  const std::string spans = ExportText(request, {1});
  EXPECT_THAT(spans, StartsWith("trace,span_id,parent_span_id,span_name,"));
  EXPECT_THAT(spans, HasSubstr(",0000000000000002,0000000000000001,\"'=cmd,\"\"x\"\"\","));
  EXPECT_THAT(ExportText(Request(v1::EXPORT_FORMAT_CSV_TRACES), {}),
              testing::EndsWith("assessments,truncated_parts\r\n"));
  EXPECT_THAT(ExportText(Request(), {}), IsEmpty());
}

TEST_F(TransferTest, RefusesBadExports) {
  for (const auto& change : std::vector<std::function<void(v1::ExportTracesRequest&)>>{
           [](auto& request) { request.set_parent("e"); },
           [](auto& request) { request.set_filter("nonsense"); },
           [](auto& request) { request.set_limit(-1); },
           [](auto& request) { request.set_format(static_cast<v1::ExportFormat>(9)); }}) {
    v1::ExportTracesRequest request = Request();
    change(request);
    sources_ = std::make_unique<TraceWalkSources>(Sources({}));
    auto sink = std::make_shared<Sink>(executor_);
    Exporter(*sources_, gate_).Export(context_, request, sink);
    EXPECT_THAT(*sink->finished, StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST_F(TransferTest, ImportsLinesHoweverTheyAreCut) {
  const std::string text = Line(1) + "\n" + Line(2) + "\r\n" + Line(3);
  for (const size_t piece : {1, 7, 100, 100'000}) {
    absl::StatusOr<v1::ImportTracesResponse> response = Import(text, piece);
    ASSERT_OK(response);
    EXPECT_EQ(response->line_count(), 3);
    EXPECT_EQ(response->accepted_spans(), 3);
    EXPECT_EQ(response->rejected_spans(), 0);
    EXPECT_THAT(response->problems(), IsEmpty());
  }
  EXPECT_EQ(Shown(3).name(), TraceName(3));
}

TEST_F(TransferTest, CountsWhatItCannotTakeAndTakesTheRest) {
  const std::string bomb = std::string(100'000, '[') + "\n";
  std::string zero_id = Line(4);
  zero_id.replace(zero_id.find(TestTrace(4).Hex()), 32, std::string(32, '0'));
  const std::string deep = Line(
      5, ",\"attributes\":[{\"key\":\"k\",\"value\":" + [] {
        std::string value = "{\"intValue\":1}";
        for (int i = 0; i < 40; ++i) value = "{\"arrayValue\":{\"values\":[" + value + "]}}";
        return value;
      }() + "}]");
  absl::StatusOr<v1::ImportTracesResponse> response =
      Import(Line(1) + "no json\n" + Line(2) + bomb + zero_id + deep + Line(3).substr(0, 50) +
             "\n" + Line(3));
  ASSERT_OK(response);
  EXPECT_EQ(response->line_count(), 8);
  EXPECT_EQ(response->failed_lines(), 3);
  EXPECT_EQ(response->accepted_spans(), 3);
  EXPECT_EQ(response->rejected_spans(), 2);
  EXPECT_THAT(response->problems(),
              testing::UnorderedElementsAre(StartsWith("line 2: "), StartsWith("line 4: "),
                                            HasSubstr("line 5: rejected: INVALID_TRACE_ID"),
                                            StartsWith("line 6: "), StartsWith("line 7: ")));
}

TEST_F(TransferTest, PassesOverLinesThatAreTooLong) {
  Importer importer(ingestor_, executor_, timers_, clock_, {.max_line_bytes = 1000});
  absl::StatusOr<v1::ImportTracesResponse> response = Import(
      importer, Line(1) + Line(2, ",\"traceState\":\"" + std::string(2000, 'x') + "\"") + Line(3),
      100);
  ASSERT_OK(response);
  EXPECT_EQ(response->failed_lines(), 1);
  EXPECT_EQ(response->accepted_spans(), 2);
  EXPECT_THAT(response->problems(), ElementsAre(StartsWith("line 2: is longer than 1000 bytes")));
}

TEST_F(TransferTest, KeepsTheFirstProblemsOnly) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "x\n";
  absl::StatusOr<v1::ImportTracesResponse> response = Import(text);
  EXPECT_EQ(response->failed_lines(), 500);
  EXPECT_EQ(response->problems_size(), kMaxImportProblems);
}

TEST_F(TransferTest, ReadsOnOnlyAfterWhatWasReadIsStored) {
  Importer importer(ingestor_, executor_, timers_, clock_, {.batch_bytes = 1});
  std::deque<v1::ImportTracesRequest> messages;
  for (uint8_t trace = 1; trace <= 3; ++trace) messages.emplace_back().set_data(Line(trace));
  messages.front().set_parent("experiments/e");
  auto source = std::make_shared<ListSource>(executor_, std::move(messages));
  source->on_read = [&](uint8_t given) {
    for (uint8_t trace = 1; trace <= given; ++trace) {
      EXPECT_TRUE((*store_->GetTrace(TestTrace(trace))).has_value());
    }
  };
  std::optional<absl::StatusOr<v1::ImportTracesResponse>> answer;
  importer.Import(context_, source, [&](auto response) { answer = std::move(response); });
  executor_.RunAll();
  ASSERT_OK(*answer);
  EXPECT_EQ((*answer)->accepted_spans(), 3);
}

TEST_F(TransferTest, WaitsForAStoreThatIsBusyButNotForEver) {
  store_.FailWritesWith(Overloaded("the store", absl::Seconds(1)));
  absl::StatusOr<v1::ImportTracesResponse> response = Import(Line(1));
  EXPECT_THAT(response, StatusIs(absl::StatusCode::kUnavailable));
  store_.FailWritesWith(absl::OkStatus());
  EXPECT_EQ(Import(Line(1))->accepted_spans(), 1);
}

TEST_F(TransferTest, RefusesImportsWithoutAnExperimentOrTooMany) {
  Importer importer(ingestor_, executor_, timers_, clock_, {.max_imports = 0});
  EXPECT_THAT(Import(importer, Line(1)), HasReason("OVERLOADED"));
  Importer open(ingestor_, executor_, timers_, clock_);
  EXPECT_THAT(Import(open, Line(1), 1000, ""), HasReason("INVALID_NAME"));
  EXPECT_THAT(Import(open, "", 1000, ""), HasReason("INVALID_NAME"));
}

TEST_F(TransferTest, WhatWasExportedImportsAsTheSame) {
  Export(1, 1, 700, "a \"quoted\" name,\n with everything \x01");
  Export(1, 650, 800);
  Export(2, 1, 1);
  const std::string text = ExportText(Request(), {2, 1});
  InMemoryTraceStore other(executor_, clock_);
  Ingestor ingestor(other.store(), executor_, {}, nullptr);
  Importer importer(ingestor, executor_, timers_, clock_);
  absl::StatusOr<v1::ImportTracesResponse> response = Import(importer, text, 4096);
  ASSERT_OK(response);
  EXPECT_EQ(response->accepted_spans(), 801);
  EXPECT_THAT(response->problems(), IsEmpty());
  for (const uint8_t trace : {1, 2}) {
    v1::Trace before = *GetTrace(store_.store(), "e", TestTrace(trace), v1::TRACE_VIEW_FULL);
    v1::Trace after = *GetTrace(other.store(), "e", TestTrace(trace), v1::TRACE_VIEW_FULL);
    for (v1::Trace* one : {&before, &after}) {
      // When it arrived, and the copies that were sent twice.
      one->clear_create_time();
      one->clear_update_time();
      one->clear_size_bytes();
    }
    EXPECT_EQ(before.DebugString(), after.DebugString());
  }
}

}  // namespace
}  // namespace assay::trace
