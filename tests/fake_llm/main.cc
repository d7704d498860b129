// A scripted language model on loopback, for tests and load.
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "common/config/flags.h"
#include "common/strings/strings.h"
#include "tests/fake_llm/server.h"

namespace {

// As many connections as the system lets us have.
void RaiseDescriptorLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Readers never see half of it.
bool WriteWhole(const std::string& path, const std::string& text) {
  const std::string temporary = path + ".new";
  std::ofstream file(temporary);
  file << text;
  file.close();
  return file.good() && std::rename(temporary.c_str(), path.c_str()) == 0;
}

int Fail(const std::string& what) {
  std::fprintf(stderr, "fake_llm: %s\n", what.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  int port = 0;
  std::string port_file;
  std::string script_file;
  assay::config::FlagSet flags("fake_llm",
                               "A scripted language model: OpenAI's and Anthropic's wire forms.");
  flags.Add("port", &port, "Port on 127.0.0.1; 0 takes a free one.", {.min = 0, .max = 65535});
  flags.Add("port_file", &port_file,
            "After the start, a JSON object with the address is written here.");
  flags.Add("script", &script_file, "JSON file with the script; POST /control/script replaces it.");
  if (std::optional<int> code = flags.ParseOrExitCode(argc, argv)) return *code;

  assay::fake_llm::FakeLlmServer::Options options = {.port = port};
  if (!script_file.empty()) {
    std::ifstream file(script_file);
    const std::string text((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
    auto script = assay::fake_llm::ParseScript(text);
    if (!script.ok()) return Fail(script_file + ": " + script.status().ToString());
    options.script = *std::move(script);
  }
  RaiseDescriptorLimit();
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // Before any thread, so that all inherit it.
  auto server = assay::fake_llm::FakeLlmServer::Start(std::move(options));
  if (!server.ok()) return Fail(server.status().ToString());
  const std::string address = (*server)->address();
  if (!port_file.empty() &&
      !WriteWhole(port_file, assay::StrCat(R"({"name":"fake_llm","http":")", address, "\"}\n"))) {
    return Fail("cannot write " + port_file);
  }
  std::fprintf(stderr, "fake_llm: http://%s\n", address.c_str());
  int signal = 0;
  sigwait(&signals, &signal);
  return 0;
}
