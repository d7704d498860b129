// The least that a server can do for each benchmark: gRPC's callback API and the libraries below,
// none of the product. What the services cost beyond these is theirs.
#ifndef ASSAY_TESTS_LOAD_FLOOR_SERVICES_H_
#define ASSAY_TESTS_LOAD_FLOOR_SERVICES_H_

#include <grpcpp/impl/service_type.h>

#include <memory>
#include <string>

#include "common/http/http_client.h"

namespace assay::load {

// EchoService/Echo, answered on gRPC's own thread.
std::unique_ptr<grpc::Service> MakeEchoFloor();

// OTLP's TraceService/Export: parses the request on an arena and forgets it.
std::unique_ptr<grpc::Service> MakeIngestFloor();

// JudgeService/Judge and JudgeStream: passes a fixed question on to a language model at `url` by
// HTTP and answers with a fixed verdict. `http` outlives the service's calls.
std::unique_ptr<grpc::Service> MakeJudgeFloor(http::HttpClient* http, const std::string& url);

}  // namespace assay::load

#endif  // ASSAY_TESTS_LOAD_FLOOR_SERVICES_H_
