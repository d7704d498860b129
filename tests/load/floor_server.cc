// Serves one of the floors on a free loopback port.
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "common/config/flags.h"
#include "common/exec/executor.h"
#include "common/http/curl_http_client.h"
#include "common/strings/strings.h"
#include "tests/load/floor_services.h"

namespace {

constexpr int kMaxMessageBytes = 64 << 20;

// Readers never see half of it.
bool WriteWhole(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".new";
  std::ofstream file(temporary);
  file << text;
  file.close();
  return file.good() && std::rename(temporary.c_str(), path.c_str()) == 0;
}

int Serve(grpc::Service* service, const std::string& port_file) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.RegisterService(service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) return 1;
  const std::string ports =
      assay::StrCat(R"({"name":"floor","address":"127.0.0.1:)", port, "\"}\n");
  if (!WriteWhole(port_file, ports)) return 1;
  int signal = 0;
  sigwait(&signals, &signal);
  server->Shutdown();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::string floor = "echo";
  std::string port_file;
  std::string model_url;
  assay::config::FlagSet flags("floor_server", "The least that a server can do for a benchmark.");
  flags.Add("floor", &floor, "Which.", {.allowed = {"echo", "ingest", "judge"}});
  flags.Add("port_file", &port_file,
            "After the start, a JSON object with the address is written here.", {.required = true});
  flags.Add("model_url", &model_url, "The language model that judge asks.",
            {.example = "http://127.0.0.1:8080/v1"});
  if (std::optional<int> code = flags.ParseOrExitCode(argc, argv)) return *code;

  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // Before any thread, so that all inherit it.

  if (floor == "echo") return Serve(assay::load::MakeEchoFloor().get(), port_file);
  if (floor == "ingest") return Serve(assay::load::MakeIngestFloor().get(), port_file);
  assay::ThreadPool pool("answers", 2);
  auto http = assay::http::CurlHttpClient::Create(&pool);
  if (!http.ok()) {
    std::fprintf(stderr, "floor_server: %s\n", http.status().ToString().c_str());
    return 1;
  }
  return Serve(assay::load::MakeJudgeFloor(http->get(), model_url).get(), port_file);
}
