// Any JSON has a request and a response, as JSON and as plain text that is valid UTF-8 or empty.
#include <string>

#include "common/json/json_reader.h"
#include "common/json/utf8.h"
#include "services/judge/core/chat_text.h"
#include "tests/fuzz/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay::judge;
  const std::string text(assay::fuzz::AsText(data, size));
  if (!assay::json::ValidateJson(text).ok()) return 0;
  FUZZ_CHECK(assay::json::ValidateJson(RequestOf(text)).ok());
  FUZZ_CHECK(assay::json::ValidateJson(ResponseOf(text)).ok());
  for (const std::string& plain : {UserTextOf(text), AssistantTextOf(text)}) {
    FUZZ_CHECK(assay::json::IsValidUtf8(plain));
    FUZZ_CHECK(plain.empty() || plain.find_first_not_of(" \t\r\n") != std::string::npos);
  }
  return 0;
}
