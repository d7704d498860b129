#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "gtest/gtest.h"
#include "rocksdb/version.h"

namespace rocksdb::crc32c {
uint32_t Extend(uint32_t crc, const char* data, size_t size);
}  // namespace rocksdb::crc32c

namespace assay::rocks {
namespace {

using ::rocksdb::crc32c::Extend;
using Function = uint32_t (*)(uint32_t, const char*, size_t);

// RocksDB's own: the next one by that name behind the executable's.
Function Original() {
  // Something of the library must be used for it to be there.
  EXPECT_FALSE(rocksdb::GetRocksVersionAsString().empty());
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, "_ZN7rocksdb6crc32c6ExtendEjPKcm"));
}

TEST(Crc32cTest, IsThatOfTheStandard) {
  EXPECT_EQ(Extend(0, "123456789", 9), 0xE3069283u);
  EXPECT_EQ(Extend(0, std::string(32, 0).data(), 32), 0x8A9136AAu);
  EXPECT_EQ(Extend(7, "", 0), 7u);
}

TEST(Crc32cTest, GivesWhatRocksDbGivesHoweverItIsCutUp) {
  const Function original = Original();
  ASSERT_NE(original, nullptr);
  ASSERT_NE(original, &Extend) << "the executable's must come first";
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes.push_back(static_cast<char>(i * 2654435761U >> 13));
  for (const size_t size : {1, 7, 8, 63, 64, 1000, 4096, 5000}) {
    const uint32_t whole = Extend(0, bytes.data(), size);
    EXPECT_EQ(whole, original(0, bytes.data(), size)) << size;
    const size_t cut = size / 3;
    EXPECT_EQ(Extend(Extend(0, bytes.data(), cut), bytes.data() + cut, size - cut), whole) << size;
  }
}

}  // namespace
}  // namespace assay::rocks
