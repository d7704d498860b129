#include "common/names/random_id.h"

#include <openssl/rand.h>

#include <array>
#include <cstddef>
#include <random>

#include "absl/strings/escaping.h"
#include "common/strings/strings.h"

namespace assay::names {
namespace {

// A thread's supply: asking the generator costs some microseconds, whether for 8 bytes or for 1,024.
struct Supply {
  std::array<unsigned char, 1024> bytes;
  size_t used = sizeof(bytes);
};

void Refill(Supply& supply) {
  if (RAND_bytes(supply.bytes.data(), static_cast<int>(supply.bytes.size())) != 1) {
    // The library's generator could not be seeded: ask the system's device itself.
    std::random_device device;
    for (unsigned char& c : supply.bytes) c = static_cast<unsigned char>(device());
  }
  supply.used = 0;
}

// At most 16 bytes.
std::string RandomHex(size_t bytes) {
  thread_local Supply supply;
  if (supply.bytes.size() - supply.used < bytes) Refill(supply);
  const auto* data = reinterpret_cast<const char*>(supply.bytes.data() + supply.used);
  supply.used += bytes;
  return absl::BytesToHexString(absl::string_view(data, bytes));
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
