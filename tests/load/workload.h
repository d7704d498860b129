// What a load generator sends, and what it expects for it.
#ifndef ASSAY_TESTS_LOAD_WORKLOAD_H_
#define ASSAY_TESTS_LOAD_WORKLOAD_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "assay/judge/v1/judge_service.pb.h"

namespace assay::load {

// One unary method. Thread-safe.
class Workload {
 public:
  virtual ~Workload() = default;
  // "/assay.echo.v1.EchoService/Echo"
  virtual std::string method() const = 0;
  // The serialized request number `number`.
  virtual std::string Request(uint64_t number) const = 0;
  // Empty if `answer`, serialized, is as expected; else what is wrong with it.
  virtual std::string WhatIsWrong(const std::string& answer) const = 0;
};

// 64 bytes there and back.
std::unique_ptr<Workload> MakeEchoWorkload();
// Batches of OTLP, each of which is to be accepted whole: those from `first_batch` on, of `seed`.
std::unique_ptr<Workload> MakeIngestWorkload(uint64_t seed, uint64_t first_batch);

// Reads of what an ingest of that seed has stored.
struct ReadOptions {
  uint64_t seed = 1;
  uint64_t traces = 1;  // So many, from the first batch on; each read is about one of them.
  // Which ones come first. Windows that begin at different places do not find in caches what those
  // before them have read.
  uint64_t first_read = 0;
  // A filter of SearchTraces; {session} and {user} stand for those of the trace.
  std::string filter;
};
std::unique_ptr<Workload> MakeGetTraceWorkload(const ReadOptions& options);
std::unique_ptr<Workload> MakeSearchWorkload(const ReadOptions& options);
// Judgements that are to come to a value, about texts of so many bytes.
std::unique_ptr<Workload> MakeJudgeWorkload(size_t judged_bytes);

// A judgement by two guidelines, defined in the request, through the model `endpoints:/local`. The
// judged response is made longer until it has `judged_bytes`.
judge::v1::JudgeRequest ExampleJudgement(uint64_t number, size_t judged_bytes);
// Empty if the judgement came to a value.
std::string WhatIsWrongWith(const judge::v1::JudgeResponse& response);

}  // namespace assay::load

#endif  // ASSAY_TESTS_LOAD_WORKLOAD_H_
