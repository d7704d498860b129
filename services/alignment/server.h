// The alignment service, put together.
#ifndef ASSAY_SERVICES_ALIGNMENT_SERVER_H_
#define ASSAY_SERVICES_ALIGNMENT_SERVER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "common/clock/timer.h"
#include "common/config/flags.h"
#include "common/exec/executor.h"
#include "common/kv/store.h"
#include "common/rpc/process.h"
#include "common/rpc/runtime.h"
#include "common/rpc/server.h"
#include "services/alignment/clients/grpc_ports.h"
#include "services/alignment/core/alignments.h"
#include "services/alignment/rpc/alignment_service.h"
#include "services/alignment/store/kv_alignment_store.h"

namespace assay::alignment {

inline constexpr std::string_view kDefaultListenAddress = "127.0.0.1:7405";

struct Options {
  rpc::ServiceFlags serving;
  std::string registry_address = "127.0.0.1:7401";
  std::string trace_address = "127.0.0.1:7402";
  std::string judge_address = "127.0.0.1:7403";
  std::string feedback_address = "127.0.0.1:7404";
  AlignmentsOptions alignments;
  int threads = 4;
};

// The flags of the service alone, and those of its peers' addresses; `options` outlives the set.
void AddFlags(Options* options, config::FlagSet& flags);
void AddPeerFlags(Options* options, config::FlagSet& flags);

class AlignmentServer final : public rpc::RunningService {
 public:
  // Opens the store, listens, and takes up what was running. `metrics` outlives the server.
  static absl::StatusOr<std::unique_ptr<AlignmentServer>> Start(const Options& options,
                                                                rpc::Metrics* metrics);
  ~AlignmentServer() override;

  std::vector<std::pair<std::string, std::string>> Endpoints() const override;
  void Drain() override;
  const std::string& address() const { return server_->address(); }

 private:
  AlignmentServer(const Options& options, rpc::Metrics* metrics,
                  std::unique_ptr<ThreadPool> executor, std::unique_ptr<kv::Store> kv_store);

  // In order of lifetime: what stands below uses what stands above.
  std::unique_ptr<ThreadPool> executor_;
  std::unique_ptr<kv::Store> kv_store_;
  KvAlignmentStore store_;
  std::unique_ptr<ThreadTimerQueue> timers_;
  GrpcFeedbackPort feedback_;
  GrpcTracePort trace_;
  GrpcJudgePort judge_;
  GrpcRegistryPort registry_;
  rpc::Runtime runtime_;  // Alignments hold streams of its calls.
  Alignments alignments_;
  AlignmentService service_;
  std::unique_ptr<rpc::Server> server_;
};

}  // namespace assay::alignment

#endif  // ASSAY_SERVICES_ALIGNMENT_SERVER_H_
