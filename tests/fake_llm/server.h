// The scripted model behind HTTP on loopback.
#ifndef ASSAY_TESTS_FAKE_LLM_SERVER_H_
#define ASSAY_TESTS_FAKE_LLM_SERVER_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tests/fake_llm/model.h"
#include "tests/fake_llm/script.h"

namespace assay::fake_llm {

// One thread for any number of connections (as many as the process may have descriptors).
// Thread-safe.
class FakeLlmServer {
 public:
  struct Options {
    int port = 0;  // 0 takes a free one.
    Script script = {};
  };
  static absl::StatusOr<std::unique_ptr<FakeLlmServer>> Start(Options options);
  static absl::StatusOr<std::unique_ptr<FakeLlmServer>> Start() { return Start(Options()); }

  ~FakeLlmServer();  // Cuts all connections.
  FakeLlmServer(const FakeLlmServer&) = delete;
  FakeLlmServer& operator=(const FakeLlmServer&) = delete;

  int port() const { return port_; }
  std::string address() const;        // "127.0.0.1:port"
  std::string openai_url() const;     // For --openai_base_url and endpoints: ends in /v1.
  std::string anthropic_url() const;  // For --anthropic_base_url.

  // Script and log.
  FakeModel& model() { return model_; }

 private:
  class Listener;
  explicit FakeLlmServer(Script script);

  FakeModel model_;
  int port_ = 0;
  std::unique_ptr<Listener> listener_;
};

}  // namespace assay::fake_llm

#endif  // ASSAY_TESTS_FAKE_LLM_SERVER_H_
