#include "services/trace/core/inflate.h"

#include <cstdint>
#include <string>

#include "common/status/errors.h"
#include "common/status/status_matchers.h"
#include "services/trace/testing/compress.h"

namespace assay::trace {
namespace {

absl::Status AnyGrowth(int64_t) { return absl::OkStatus(); }

TEST(InflateTest, RestoresGzipAndDeflate) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919);
  EXPECT_THAT(Inflate(Compress(text, Encoding::kGzip), Encoding::kGzip, 1 << 20, AnyGrowth),
              IsOkAndHolds(text));
  EXPECT_THAT(Inflate(Compress(text, Encoding::kDeflate), Encoding::kDeflate, 1 << 20, AnyGrowth),
              IsOkAndHolds(text));
}

TEST(InflateTest, RestoresSeveralGzipMembers) {
  const std::string twice = Compress("one ", Encoding::kGzip) + Compress("two", Encoding::kGzip);
  EXPECT_THAT(Inflate(twice, Encoding::kGzip, 100, AnyGrowth), IsOkAndHolds("one two"));
}

TEST(InflateTest, HoldsTheBoundExactly) {
  const std::string body = Compress(std::string(100'000, 'a'), Encoding::kGzip);
  EXPECT_THAT(Inflate(body, Encoding::kGzip, 100'000, AnyGrowth), IsOk());
  absl::Status status = Inflate(body, Encoding::kGzip, 99'999, AnyGrowth).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(status, HasReason("MESSAGE_TOO_LARGE"));
}

TEST(InflateTest, SpendsNoMoreThanTheBoundOnABomb) {
  const std::string bomb = Compress(std::string(64 << 20, '\0'), Encoding::kGzip);
  int64_t grown = 0;
  EXPECT_THAT(Inflate(bomb, Encoding::kGzip, 1 << 20,
                      [&](int64_t bytes) {
                        grown += bytes;
                        return absl::OkStatus();
                      }),
              HasReason("MESSAGE_TOO_LARGE"));
  EXPECT_LE(grown, (1 << 20) + 1);
}

TEST(InflateTest, EndsWithTheErrorOfTheGrowthCheck) {
  const std::string body = Compress(std::string(1 << 20, 'a'), Encoding::kGzip);
  EXPECT_THAT(Inflate(body, Encoding::kGzip, 2 << 20,
                      [](int64_t) { return Overloaded("ingest", absl::Seconds(1)); }),
              HasReason("OVERLOADED"));
}

TEST(InflateTest, RefusesBrokenData) {
  const std::string body = Compress("some text", Encoding::kGzip);
  for (const std::string& broken :
       {std::string(), std::string("no gzip at all"), body.substr(0, body.size() - 5), body + "x",
        body.substr(0, 12) + "\xff\xff" + body.substr(14)}) {
    EXPECT_THAT(Inflate(broken, Encoding::kGzip, 1000, AnyGrowth),
                HasReason("MALFORMED_COMPRESSION"));
  }
  EXPECT_THAT(Inflate(Compress("x", Encoding::kDeflate) + "y", Encoding::kDeflate, 1000, AnyGrowth),
              HasReason("MALFORMED_COMPRESSION"));
}

}  // namespace
}  // namespace assay::trace
