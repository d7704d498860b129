#include "tests/load/workload.h"

#include "assay/echo/v1/echo.pb.h"
#include "common/json/json_value.h"
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
  std::string method() const override {
    return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
  }
  std::string Request(uint64_t number) const override { return batches_.Batch(number); }
  std::string WhatIsWrong(const std::string& answer) const override {
    opentelemetry::proto::collector::trace::v1::ExportTraceServiceResponse response;
    if (!response.ParseFromString(answer)) return "the response cannot be read";
    if (response.partial_success().rejected_spans() == 0) return "";
    return StrCat("rejected spans: ", response.partial_success().error_message());
  }

 private:
  const OtlpBatches batches_;
};

class JudgeWorkload final : public Workload {
 public:
  std::string method() const override { return "/assay.judge.v1.JudgeService/Judge"; }
  std::string Request(uint64_t number) const override {
    return ExampleJudgement(number).SerializeAsString();
  }
  std::string WhatIsWrong(const std::string& answer) const override {
    judge::v1::JudgeResponse response;
    return response.ParseFromString(answer) ? WhatIsWrongWith(response)
                                            : "the response cannot be read";
  }
};

}  // namespace

std::unique_ptr<Workload> MakeEchoWorkload() { return std::make_unique<EchoWorkload>(); }
std::unique_ptr<Workload> MakeIngestWorkload() { return std::make_unique<IngestWorkload>(); }
std::unique_ptr<Workload> MakeJudgeWorkload() { return std::make_unique<JudgeWorkload>(); }

judge::v1::JudgeRequest ExampleJudgement(uint64_t number) {
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
  *request.mutable_outputs() = json::JsonFromString(
      "I am sorry that your order arrived broken, and that we left you without an answer. I have "
      "started a replacement; you get its tracking number by e-mail today, and nothing needs to be "
      "sent back. If it has not arrived by Friday, reply here and I will look after it myself.");
  return request;
}

std::string WhatIsWrongWith(const judge::v1::JudgeResponse& response) {
  if (response.feedback().has_value()) return "";
  return StrCat("no value: ", response.feedback().error().code(), " ",
                response.feedback().error().message());
}

}  // namespace assay::load
