// The trace service's settings.
#ifndef ASSAY_SERVICES_TRACE_OPTIONS_H_
#define ASSAY_SERVICES_TRACE_OPTIONS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/config/flags.h"
#include "common/rpc/process.h"
#include "services/trace/core/completion/completion.h"
#include "services/trace/core/ingestor.h"
#include "services/trace/core/transfer/transfers.h"
#include "services/trace/store/trace_db.h"

namespace assay::trace {

inline constexpr std::string_view kDefaultListenAddress = "127.0.0.1:7402";
inline constexpr std::string_view kDefaultOtlpAddress = "127.0.0.1:4317";
inline constexpr std::string_view kDefaultRegistryAddress = "127.0.0.1:7401";
inline constexpr std::string_view kDefaultFeedbackAddress = "127.0.0.1:7404";

struct Options {
  rpc::ServiceFlags serving;
  std::string otlp_listen_address = std::string(kDefaultOtlpAddress);
  std::string registry_address = std::string(kDefaultRegistryAddress);
  // Empty: OnPeers tells; until then evaluation results wait.
  std::string feedback_address = std::string(kDefaultFeedbackAddress);
  absl::Duration evaluation_patience = absl::Hours(1);
  bool create_experiments = true;
  int64_t otlp_max_body_bytes = kDefaultMaxBodyBytes;
  int64_t otlp_max_bytes_in_flight = int64_t{128} << 20;
  int64_t search_max_scanned = 10'000;
  int64_t search_max_span_bytes = int64_t{256} << 20;
  absl::Duration search_time_budget = absl::Seconds(2);
  absl::Duration aggregate_time_budget = absl::Seconds(10);
  int storage_threads = 4;
  absl::Duration trace_idle_window = kTraceIdleWindow;
  absl::Duration session_idle_window = kSessionIdleWindow;
  absl::Duration feed_retention = kFeedRetention;
  int64_t max_watches = 256;
  int64_t max_trace_streams = kMaxTraceStreams;
  absl::Duration retention_max_age = absl::ZeroDuration();  // Zero: traces stay.
  int64_t retention_max_bytes = 0;                          // 0: no bound.
  std::vector<std::string> indexed_attributes;  // Keys, also several in one, with commas between.
  int64_t memory_bytes = kDefaultMemoryBytes;
  int64_t pack_bytes_per_second = int64_t{16} << 20;
  int64_t min_free_disk_bytes = int64_t{1} << 30;  // 0: writes are never refused.
  std::string backup_dir;                          // Empty: no backups.
  std::string restore_from;                        // Empty: nothing is restored.
  std::string price_table;                         // A file; empty for the built-in prices.
};

// Adds the service's flags, --registry_address among them unless the process has it already.
// `options` outlives the set.
void AddFlags(Options* options, config::FlagSet& flags);

// What no single flag can say about itself: INVALID_ARGUMENT INVALID_FLAG, names the flag.
absl::Status CheckOptions(const Options& options);

}  // namespace assay::trace

#endif  // ASSAY_SERVICES_TRACE_OPTIONS_H_
