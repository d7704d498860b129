#include "common/rpc/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "absl/synchronization/mutex.h"
#include "common/json/json_reader.h"
#include "common/log/log.h"
#include "common/rpc/metrics_endpoint.h"
#include "common/rpc/single_poller.h"
#include "common/status/errors.h"
#include "common/status/status_macros.h"
#include "common/strings/strings.h"

namespace assay::rpc {
namespace {

constexpr int kExitFailed = 1;

struct ProcessFlags {
  std::string port_file;
  std::string metrics_address;
  bool metrics_allow_non_loopback = false;
  std::string log_level = "info";
  std::string log_format = "text";
};

void AddProcessFlags(ProcessFlags* values, config::FlagSet& flags) {
  flags.Group("Process");
  flags.Add("port_file", &values->port_file,
            "File to write the addresses to, as JSON, once everything listens.",
            {.example = "/run/assay/ports.json"});
  flags.Add("metrics_address", &values->metrics_address,
            "Address to serve Prometheus metrics on, at /metrics; empty for none.",
            {.example = "127.0.0.1:9464"});
  flags.Add("metrics_allow_non_loopback", &values->metrics_allow_non_loopback,
            "Whether metrics_address may be reachable from other machines.");
  flags.Add("log_level", &values->log_level, "The least important lines to log.",
            {.allowed = {"debug", "info", "warning", "error", "off"}});
  flags.Add("log_format", &values->log_format, "How lines look.", {.allowed = {"text", "json"}});
}

absl::Status InitLog(const std::string& service, const ProcessFlags& flags) {
  log::Options options;
  options.level = log::LevelFromName(flags.log_level).value_or(log::Level::kInfo);
  options.format = log::FormatFromName(flags.log_format).value_or(log::Format::kText);
  options.service = service;
  return log::Init(std::move(options));
}

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

std::string PortFileText(const std::string& name,
                         const std::vector<std::pair<std::string, std::string>>& endpoints) {
  std::string text = "{\"name\":" + json::JsonString(name);
  for (const auto& [kind, address] : endpoints) {
    StrAppend(&text, ",", json::JsonString(kind), ":", json::JsonString(address));
  }
  return text + "}\n";
}

// Readers see the whole file or none.
absl::Status WriteAtomically(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".tmp";
  const auto failed = [&](const char* what) {
    return MakeError(absl::StatusCode::kInternal, "PORT_FILE_FAILED",
                     StrCat("cannot ", what, " ", path, ": ", std::strerror(errno)));
  };
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return failed("create");
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (::close(file) != 0 || !written) return failed("write");
  if (::rename(temporary.c_str(), path.c_str()) != 0) return failed("rename");
  return absl::OkStatus();
}

// Each call to a model provider holds a connection. The soft limit is often 1,024, for the sake of
// programs that use select(); the hard one is what the machine's owner allows.
void AllowManyDescriptors() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// From start to drain.
absl::Status Serve(const Program& program, const ProcessFlags& flags) {
  Metrics metrics;
  std::unique_ptr<MetricsEndpoint> metrics_endpoint;
  if (!flags.metrics_address.empty()) {
    ASSAY_ASSIGN_OR_RETURN(
        metrics_endpoint,
        MetricsEndpoint::Start(flags.metrics_address, flags.metrics_allow_non_loopback, &metrics));
  }
  ASSAY_ASSIGN_OR_RETURN(std::unique_ptr<RunningService> service,
                         program.start(ProcessContext{.metrics = &metrics}));
  std::vector<std::pair<std::string, std::string>> endpoints = service->Endpoints();
  if (metrics_endpoint != nullptr) endpoints.emplace_back("metrics", metrics_endpoint->address());
  if (!flags.port_file.empty()) {
    absl::Status written = WriteAtomically(flags.port_file, PortFileText(program.name, endpoints));
    if (!written.ok()) {
      service->Drain();
      return written;
    }
  }
  log::Info("serving", {{"name", program.name}});
  auto poller = std::make_unique<SinglePoller>();
  const sigset_t signals = StopSignals();
  int signal = 0;
  sigwait(&signals, &signal);
  poller.reset();
  log::Info("stopping", {{"signal", strsignal(signal)}});
  service->Drain();
  service.reset();
  log::Info("stopped", {{"name", program.name}});
  return absl::OkStatus();
}

}  // namespace

void AddServiceFlags(const std::string& default_listen_address, ServiceFlags* flags_out,
                     config::FlagSet& flags) {
  flags_out->listen_address = default_listen_address;
  flags.Group("Serving");
  flags.Add("listen_address", &flags_out->listen_address,
            "Address to serve gRPC on; port 0 picks one.", {.example = "127.0.0.1:7400"});
  flags.Add("data_dir", &flags_out->data_dir,
            "Directory of the service's data; made if it does not exist.",
            {.example = "/var/lib/assay"});
  flags.Add("allow_non_loopback", &flags_out->allow_non_loopback,
            "Whether listen_address may be reachable from other machines. Callers are not "
            "authenticated.");
  flags.Add("reflection", &flags_out->reflection,
            "Whether to serve gRPC reflection, for grpcurl and the like.");
  flags.Add(
      "self_ping", &flags_out->self_ping,
      "Whether to call oneself while idle, so that the first call after a pause is not slow.");
  flags.Add("max_message_bytes", &flags_out->max_message_bytes, "Largest message, each way.",
            {.min = 1024, .max = kLargestMaxMessageBytes});
  flags.Add("drain_delay", &flags_out->drain_delay,
            "Time between NOT_SERVING and the end of serving, for load balancers to see it.",
            {.min = 0, .max = 600});
  flags.Add("grace", &flags_out->grace, "Time for calls in flight to end when stopping.",
            {.min = 0, .max = 3600});
}

ServerOptions ToServerOptions(const std::string& name, const ServiceFlags& flags) {
  ServerOptions options;
  options.name = name;
  options.listen_address = flags.listen_address;
  options.allow_non_loopback = flags.allow_non_loopback;
  options.reflection = flags.reflection;
  options.self_ping = flags.self_ping;
  options.max_message_bytes = flags.max_message_bytes;
  options.drain_delay = flags.drain_delay;
  options.grace = flags.grace;
  return options;
}

int RunProcess(int argc, char** argv, const Program& program) {
  ProcessFlags values;
  config::FlagSet flags("assay-" + program.name, program.about);
  if (program.add_flags != nullptr) program.add_flags(flags);
  AddProcessFlags(&values, flags);
  if (const std::optional<int> code = flags.ParseOrExitCode(argc, argv)) return *code;
  if (absl::Status log = InitLog(program.name, values); !log.ok()) {
    std::fprintf(stderr, "%s\n", log.ToString().c_str());
    return kExitFailed;
  }
  // Debian builds Abseil with the search for deadlocks among gRPC's mutexes switched on: each lock looks
  // into a graph that all threads share.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  // Threads inherit the mask, so that only sigwait gets the signals.
  const sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  AllowManyDescriptors();
  if (absl::Status served = Serve(program, values); !served.ok()) {
    log::Error("cannot go on", {{"error", served}});
    return kExitFailed;
  }
  return 0;
}

}  // namespace assay::rpc
