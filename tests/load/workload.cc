#include "tests/load/workload.h"

#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_replace.h"
#include "assay/echo/v1/echo.pb.h"
#include "assay/trace/v1/trace_service.pb.h"
#include "common/json/json_value.h"
#include "common/otlp/wire_cursor.h"
#include "common/strings/strings.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "tests/load/otlp_batches.h"

namespace assay::load {
namespace {

class EchoWorkload final : public Workload {
 public:
  EchoWorkload() {
    echo::v1::EchoRequest request;
    request.set_text(std::string(64, 'x'));
    request_ = request.SerializeAsString();
  }
  std::string method() const override { return "/assay.echo.v1.EchoService/Echo"; }
  std::string Request(uint64_t) const override { return request_; }
  std::string WhatIsWrong(const std::string& answer) const override {
    // The response has the request's field under the same number.
    return answer == request_ ? "" : "another text came back";
  }

 private:
  std::string request_;
};

class IngestWorkload final : public Workload {
 public:
  IngestWorkload(uint64_t seed, uint64_t first_batch) : batches_(seed), first_batch_(first_batch) {}
  std::string method() const override {
    return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  }
  std::string Request(uint64_t number) const override {
    return batches_.Batch(first_batch_ + number);
  }
  std::string WhatIsWrong(const std::string& answer) const override {
    opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse response;
    if (!response.ParseFromString(answer)) return "the response cannot be read";
    if (response.partial_success().rejected_spans() == 0) return "";
    return StrCat("rejected spans: ", response.partial_success().error_message());
  }

 private:
  const OtlpBatches batches_;
  const uint64_t first_batch_;
};

// Which trace read number `number` is about: all alike often, in no order.
uint64_t TraceOf(uint64_t number, uint64_t traces) { return number * 0x9e3779b97f4a7c15 % traces; }

// The spans of a GetTraceResponse, counted on the wire: parsing would cost the client about what
// the answer costs the server. Nullopt if the framing is broken.
std::optional<int> CountSpans(std::string_view response) {
  int spans = 0;
  otlp::WireCursor cursor(response);
  otlp::WireField field;
  while (cursor.Next(&field)) {
    if (!field.IsBytes(trace::v1::GetTraceResponse::kTraceFieldNumber)) continue;
    otlp::WireCursor inner(field.bytes);
    otlp::WireField part;
    while (inner.Next(&part)) spans += part.IsBytes(trace::v1::Trace::kSpansFieldNumber) ? 1 : 0;
    if (!inner.ok()) return std::nullopt;
  }
  return cursor.ok() ? std::optional<int>(spans) : std::nullopt;
}

class GetTraceWorkload final : public Workload {
 public:
  explicit GetTraceWorkload(const ReadOptions& options)
      : batches_(options.seed), traces_(options.traces), first_read_(options.first_read) {}
  std::string method() const override { return "/assay.trace.v1.TraceService/GetTrace"; }
  std::string Request(uint64_t number) const override {
    trace::v1::GetTraceRequest request;
    request.set_name(StrCat("experiments/default/traces/",
                            batches_.TraceIdHex(TraceOf(first_read_ + number, traces_))));
    request.set_view(trace::v1::TRACE_VIEW_FULL);
    return request.SerializeAsString();
  }
  std::string WhatIsWrong(const std::string& answer) const override {
    const std::optional<int> spans = CountSpans(answer);
    if (!spans.has_value()) return "the response cannot be read";
    return *spans == kSpansPerTrace ? "" : "spans are missing";
  }

 private:
  const OtlpBatches batches_;
  const uint64_t traces_;
  const uint64_t first_read_;
};

class SearchWorkload final : public Workload {
 public:
  explicit SearchWorkload(ReadOptions options) : options_(std::move(options)) {}
  std::string method() const override { return "/assay.trace.v1.TraceService/SearchTraces"; }
  std::string Request(uint64_t number) const override {
    const uint64_t trace = TraceOf(options_.first_read + number, options_.traces);
    trace::v1::SearchTracesRequest request;
    request.set_parent("experiments/default");
    request.set_filter(absl::StrReplaceAll(
        options_.filter,
        {{"{session}", OtlpBatches::SessionOf(trace)}, {"{user}", OtlpBatches::UserOf(trace)}}));
    return request.SerializeAsString();
  }
  std::string WhatIsWrong(const std::string& answer) const override {
    trace::v1::SearchTracesResponse response;
    if (!response.ParseFromString(answer)) return "the response cannot be read";
    return response.traces_size() > 0 ? "" : "nothing was found";
  }

 private:
  const ReadOptions options_;
};

class JudgeWorkload final : public Workload {
 public:
  explicit JudgeWorkload(size_t judged_bytes) : judged_bytes_(judged_bytes) {}
  std::string method() const override { return "/assay.judge.v1.JudgeService/Judge"; }
  std::string Request(uint64_t number) const override {
    return ExampleJudgement(number, judged_bytes_).SerializeAsString();
  }
  std::string WhatIsWrong(const std::string& answer) const override {
    judge::v1::JudgeResponse response;
    return response.ParseFromString(answer) ? WhatIsWrongWith(response)
                                            : "the response cannot be read";
  }

 private:
  const size_t judged_bytes_;
};

}  // namespace

std::unique_ptr<Workload> MakeEchoWorkload() { return std::make_unique<EchoWorkload>(); }
std::unique_ptr<Workload> MakeIngestWorkload(uint64_t seed, uint64_t first_batch) {
  return std::make_unique<IngestWorkload>(seed, first_batch);
}
std::unique_ptr<Workload> MakeGetTraceWorkload(const ReadOptions& options) {
  return std::make_unique<GetTraceWorkload>(options);
}
std::unique_ptr<Workload> MakeSearchWorkload(const ReadOptions& options) {
  return std::make_unique<SearchWorkload>(options);
}
std::unique_ptr<Workload> MakeJudgeWorkload(size_t judged_bytes) {
  return std::make_unique<JudgeWorkload>(judged_bytes);
}

judge::v1::JudgeRequest ExampleJudgement(uint64_t number, size_t judged_bytes) {
  judge::v1::JudgeRequest request;
  request.set_parent("experiments/default");
  request.set_assessment_name("tone");
  registry::v1::JudgeDefinition& definition = *request.mutable_definition();
  definition.set_model("endpoints:/local");
  definition.mutable_guidelines()->add_guidelines(
      "The response must be polite and must not blame the customer.");
  definition.mutable_guidelines()->add_guidelines(
      "The response must name the next step, and who takes it.");
  *request.mutable_inputs() = json::JsonFromString(
      StrCat("Order ", number, " arrived with a broken screen. I wrote twice and got no answer."));
  std::string response =
      "I am sorry that your order arrived broken, and that we left you without an answer. I have "
      "started a replacement; you get its tracking number by e-mail today, and nothing needs to be "
      "sent back. If it has not arrived by Friday, reply here and I will look after it myself.";
  while (response.size() < judged_bytes) response += " Write to me if anything else is wrong.";
  *request.mutable_outputs() = json::JsonFromString(response);
  return request;
}

std::string WhatIsWrongWith(const judge::v1::JudgeResponse& response) {
  if (response.feedback().has_value()) return "";
  return StrCat("no value: ", response.feedback().error().code(), " ",
                response.feedback().error().message());
}

}  // namespace assay::load
