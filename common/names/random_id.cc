#include "common/names/random_id.h"

#include <openssl/rand.h>

#include <cstdint>
#include <random>

#include "absl/strings/escaping.h"
#include "common/strings/strings.h"

namespace assay::names {
namespace {

std::string RandomHex(size_t bytes) {
  std::string random(bytes, '\0');
  auto* data = reinterpret_cast<unsigned char*>(random.data());
  if (RAND_bytes(data, static_cast<int>(bytes)) != 1) {
    // The library's generator could not be seeded: ask the system's device itself.
    std::random_device device;
    for (char& c : random) c = static_cast<char>(device());
  }
  return absl::BytesToHexString(random);
}

std::string NonZeroHex(size_t bytes) {
  while (true) {
    std::string hex = RandomHex(bytes);
    if (hex.find_first_not_of('0') != hex.npos) return hex;
  }
}

}  // namespace

std::string RandomId(std::string_view prefix) {
  return prefix.empty() ? RandomHex(16) : StrCat(prefix, "-", RandomHex(16));
}

std::string RandomTraceId() { return NonZeroHex(16); }
std::string RandomSpanId() { return NonZeroHex(8); }

}  // namespace assay::names
