#include "common/kv/keys.h"

#include <cstdint>
#include <random>
#include <string>
#include <tuple>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::kv {
namespace {

using std::string_literals::operator""s;

TEST(KeysTest, WritesTheseBytes) {
  EXPECT_EQ(KeyBuilder().Kind(0x07).String("ab").Uint32(1).DescUint64(2).Raw("zz").Build(),
            "\x01\x07"s + "ab\0\x01"s + "\0\0\0\x01"s + "\xff\xff\xff\xff\xff\xff\xff\xfd" + "zz");
}

TEST(KeysTest, ReadsBackWhatItWrote) {
  const std::string key = KeyBuilder()
                              .Kind(0x07)
                              .Byte(9)
                              .String("a\0b"s)
                              .Uint32(1)
                              .Uint64(2)
                              .Int64(-3)
                              .DescUint64(4)
                              .DescInt64(-5)
                              .Double(0.5)
                              .Raw("0123456789abcdef")
                              .Build();
  uint8_t byte = 0;
  std::string text, raw;
  uint32_t u32 = 0;
  uint64_t u64 = 0, descending = 0;
  int64_t i64 = 0, descending_signed = 0;
  double number = 0;
  KeyReader reader(key);
  reader.Kind(0x07).Byte(&byte).String(&text).Uint32(&u32).Uint64(&u64).Int64(&i64);
  reader.DescUint64(&descending).DescInt64(&descending_signed).Double(&number).Raw(16, &raw);
  ASSERT_THAT(reader.Finish(), IsOk());
  EXPECT_EQ(std::tie(byte, text, u32, u64, i64, descending, descending_signed, number, raw),
            std::make_tuple(9, "a\0b"s, 1, 2, -3, 4, -5, 0.5, "0123456789abcdef"s));
}

TEST(KeysTest, RefusesAnotherKindAShortKeyAndALongOne) {
  const auto read = [](std::string key) {
    std::string text;
    KeyReader reader(key);
    reader.Kind(0x07).String(&text);
    return reader.Finish();
  };
  const std::string key = KeyBuilder().Kind(0x07).String("abc").Build();
  EXPECT_THAT(read(key), IsOk());
  EXPECT_THAT(read(KeyBuilder().Kind(0x08).String("abc").Build()), HasReason("STORAGE_CORRUPT"));
  EXPECT_THAT(read("\x02" + key.substr(1)), HasReason("STORAGE_CORRUPT"));
  EXPECT_THAT(read(key + "x"), HasReason("STORAGE_CORRUPT"));
  for (size_t size = 0; size < key.size(); ++size) {
    EXPECT_THAT(read(key.substr(0, size)), HasReason("STORAGE_CORRUPT"));
  }
}

TEST(KeysTest, APrefixBoundsItsKind) {
  const std::string prefix = KeyBuilder().Kind(0x07).Build();
  const std::string end = PrefixEnd(prefix);
  EXPECT_LT(KeyBuilder().Kind(0x07).String("\xff\xff\xff").Build(), end);
  EXPECT_GE(KeyBuilder().Kind(0x08).Build(), end);
}

TEST(KeysTest, ReadersSurviveAnyBytes) {
  std::mt19937 random(1);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes(random() % 24, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 3);
    std::string text;
    uint64_t number = 0;
    KeyReader reader(bytes);
    reader.Kind(1).String(&text).Uint64(&number);
    if (!reader.Finish().ok()) continue;
    EXPECT_EQ(KeyBuilder().Kind(1).String(text).Uint64(number).Build(), bytes);
  }
}

}  // namespace
}  // namespace assay::kv
