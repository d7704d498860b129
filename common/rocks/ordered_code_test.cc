#include "common/rocks/ordered_code.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::rocks {
namespace {

using std::string_literals::operator""s;

template <class Append, class... Args>
std::string Encoded(Append append, Args... args) {
  std::string out;
  append(args..., &out);
  return out;
}

TEST(OrderedCodeTest, WritesTheseBytes) {
  EXPECT_EQ(Encoded(AppendByte, uint8_t{7}), "\x07"s);
  EXPECT_EQ(Encoded(AppendUint32, 0x01020304u), "\x01\x02\x03\x04"s);
  EXPECT_EQ(Encoded(AppendUint64, uint64_t{0x0102030405060708}),
            "\x01\x02\x03\x04\x05\x06\x07\x08"s);
  EXPECT_EQ(Encoded(AppendInt64, int64_t{-1}), "\x7f\xff\xff\xff\xff\xff\xff\xff"s);
  EXPECT_EQ(Encoded(AppendInt64, int64_t{1}), "\x80\0\0\0\0\0\0\x01"s);
  EXPECT_EQ(Encoded(AppendDescUint64, uint64_t{1}), "\xff\xff\xff\xff\xff\xff\xff\xfe"s);
  EXPECT_EQ(Encoded(AppendDescInt64, int64_t{1}), "\x7f\xff\xff\xff\xff\xff\xff\xfe"s);
  EXPECT_EQ(Encoded(AppendDouble, 1.0), "\xbf\xf0\0\0\0\0\0\0"s);
  EXPECT_EQ(Encoded(AppendDouble, -0.0), Encoded(AppendDouble, 0.0));
  EXPECT_EQ(Encoded(AppendString, "a\0b"s),
            "a\0\xff"
            "b\0\x01"s);
  EXPECT_EQ(Encoded(AppendString, ""s), "\0\x01"s);
}

TEST(OrderedCodeTest, ReadsBackWhatItWrote) {
  std::string key;
  AppendByte(3, &key);
  AppendString("a\0\x01\xff"s, &key);
  AppendUint32(5, &key);
  AppendInt64(std::numeric_limits<int64_t>::min(), &key);
  AppendDescInt64(-9, &key);
  AppendDescUint64(11, &key);
  AppendDouble(-2.5, &key);
  key += "raw!";

  std::string_view in = key;
  uint8_t byte = 0;
  std::string text, raw;
  uint32_t u32 = 0;
  uint64_t u64 = 0;
  int64_t low = 0, descending = 0;
  double number = 0;
  ASSERT_TRUE(ConsumeByte(&in, &byte) && ConsumeString(&in, &text) && ConsumeUint32(&in, &u32) &&
              ConsumeInt64(&in, &low) && ConsumeDescInt64(&in, &descending) &&
              ConsumeDescUint64(&in, &u64) && ConsumeDouble(&in, &number) &&
              ConsumeFixed(&in, 4, &raw));
  EXPECT_EQ(std::tie(byte, text, u32, low, descending, u64, number, raw),
            std::make_tuple(3, "a\0\x01\xff"s, 5, std::numeric_limits<int64_t>::min(), -9, 11, -2.5,
                            "raw!"s));
  EXPECT_TRUE(in.empty());
}

TEST(OrderedCodeTest, RefusesWhatNoEncoderWrites) {
  const auto string_fails = [](std::string bytes) {
    std::string_view in = bytes;
    std::string value;
    return !ConsumeString(&in, &value);
  };
  EXPECT_TRUE(string_fails(""));
  EXPECT_TRUE(string_fails("abc"));
  EXPECT_TRUE(string_fails("abc\0"s));
  EXPECT_TRUE(string_fails("abc\0\x02"s));
  uint64_t u64 = 0;
  std::string_view seven = "1234567";
  EXPECT_FALSE(ConsumeUint64(&seven, &u64));
  double number = 0;
  std::string_view minus_zero = "\x7f\xff\xff\xff\xff\xff\xff\xff";
  EXPECT_FALSE(ConsumeDouble(&minus_zero, &number));
  std::string text;
  std::string_view three = "abc";
  EXPECT_FALSE(ConsumeFixed(&three, 4, &text));
}

// Strings over few bytes, so that prefixes, zeros and escapes meet often.
std::string RandomString(std::mt19937_64& random) {
  static constexpr char kBytes[] = {'\x00', '\x01', '\x02', 'a', '\xfe', '\xff'};
  std::string value(random() % 5, '\0');
  for (char& c : value) c = kBytes[random() % sizeof(kBytes)];
  return value;
}

TEST(OrderedCodeTest, KeysSortAsTheirTuples) {
  std::mt19937_64 random(1);
  using Tuple = std::tuple<std::string, int64_t, std::string, double>;
  std::vector<std::pair<std::string, Tuple>> keys;
  for (int i = 0; i < 3000; ++i) {
    Tuple tuple(
        RandomString(random), static_cast<int64_t>(random()) >> (random() % 64),
        RandomString(random),
        std::ldexp(static_cast<double>(static_cast<int32_t>(random())), random() % 80 - 40));
    std::string key;
    AppendString(std::get<0>(tuple), &key);
    AppendInt64(std::get<1>(tuple), &key);
    AppendString(std::get<2>(tuple), &key);
    AppendDouble(std::get<3>(tuple), &key);
    keys.emplace_back(std::move(key), std::move(tuple));
  }
  std::sort(keys.begin(), keys.end());
  for (size_t i = 1; i < keys.size(); ++i) {
    ASSERT_LE(keys[i - 1].second, keys[i].second);
    ASSERT_EQ(keys[i - 1].first == keys[i].first, keys[i - 1].second == keys[i].second);
  }
}

TEST(OrderedCodeTest, DescendingNumbersSortTheOtherWay) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 1000; ++i) {
    const auto a = static_cast<int64_t>(random()) >> (random() % 64);
    const auto b = static_cast<int64_t>(random()) >> (random() % 64);
    EXPECT_EQ(a<b, Encoded(AppendDescInt64, a)> Encoded(AppendDescInt64, b));
    const auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
    EXPECT_EQ(ua<ub, Encoded(AppendDescUint64, ua)> Encoded(AppendDescUint64, ub));
  }
}

TEST(OrderedCodeTest, DecodersSurviveAnyBytes) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 20000; ++i) {
    const std::string bytes = RandomString(random) + RandomString(random) + RandomString(random);
    std::string_view in = bytes;
    std::string value;
    if (ConsumeString(&in, &value)) {
      std::string again = Encoded(AppendString, value);
      EXPECT_EQ(again + std::string(in), bytes);
    }
    in = bytes;
    double number = 0;
    if (ConsumeDouble(&in, &number)) {
      EXPECT_EQ(Encoded(AppendDouble, number) + std::string(in), bytes);
    }
  }
}

TEST(OrderedCodeTest, PrefixEndIsTheNextPrefix) {
  EXPECT_EQ(PrefixEnd("ab"), "ac");
  EXPECT_EQ(PrefixEnd("a\xff\xff"), "b");
  EXPECT_EQ(PrefixEnd("\xff\xff"), "");
  EXPECT_EQ(PrefixEnd(""), "");
}

TEST(OrderedCodeTest, StringPrefixBoundsTheStringsThatBeginSo) {
  const std::string prefix = Encoded(AppendStringPrefix, "jud"s);
  const std::string end = PrefixEnd(prefix);
  for (const std::string inside : {"jud", "judge", "jud\0"}) {
    const std::string key = Encoded(AppendString, inside);
    EXPECT_TRUE(prefix <= key && key < end);
  }
  for (const std::string outside : {"juc", "jue", "ju"}) {
    const std::string key = Encoded(AppendString, outside);
    EXPECT_FALSE(prefix <= key && key < end);
  }
}

}  // namespace
}  // namespace assay::rocks
