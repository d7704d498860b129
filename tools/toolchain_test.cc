// The system libraries, the code generators and the build rules work together.

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"

namespace assay {
namespace {

namespace otlp = ::opentelemetry::proto::collector::trace::v1;

class CountingTraceService final : public otlp::TraceService::CallbackService {
 public:
  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const otlp::ExportTraceServiceRequest* request,
                                   otlp::ExportTraceServiceResponse* response) override {
    response->mutable_partial_success()->set_rejected_spans(request->resource_spans_size());
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

TEST(ToolchainTest, ServesAnRpcWithReflection) {
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  CountingTraceService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  ASSERT_NE(server, nullptr);

  auto stub = otlp::TraceService::NewStub(
      grpc::CreateChannel(absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  otlp::ExportTraceServiceRequest request;
  request.add_resource_spans();
  otlp::ExportTraceServiceResponse response;
  const grpc::Status status = stub->Export(&context, request, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.partial_success().rejected_spans(), 1);
  server->Shutdown();
}

TEST(ToolchainTest, ErrorDetailsAreRegisteredOnce) {
  google::rpc::Status status;
  google::rpc::ErrorInfo info;
  info.set_reason("TESTED");
  status.add_details()->PackFrom(info);
  EXPECT_EQ(status.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
  EXPECT_NE(google::protobuf::DescriptorPool::generated_pool()->FindFileByName(
                "google/rpc/error_details.proto"),
            nullptr);
}

TEST(ToolchainTest, StoresAValue) {
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* raw = nullptr;
  const std::string path = absl::StrCat(std::getenv("TEST_TMPDIR"), "/db");
  ASSERT_TRUE(rocksdb::DB::Open(options, path, &raw).ok());
  std::unique_ptr<rocksdb::DB> db(raw);
  ASSERT_TRUE(db->Put(rocksdb::WriteOptions(), "key", "value").ok());
  std::string value;
  ASSERT_TRUE(db->Get(rocksdb::ReadOptions(), "key", &value).ok());
  EXPECT_EQ(value, "value");
}

TEST(ToolchainTest, CarriesAStatusOr) {
  const absl::StatusOr<int> value = absl::NotFoundError("nothing here");
  EXPECT_EQ(value.status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace assay
