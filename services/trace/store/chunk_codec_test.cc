#include "services/trace/store/chunk_codec.h"

#include <string>

#include "assay/storage/v1/trace_records.pb.h"
#include "common/json/canonical.h"
#include "common/status/status_matchers.h"
#include "services/trace/store/ai_chunk_dictionary.h"
#include "services/trace/store/chunk_dictionary.h"

namespace assay::trace {
namespace {

std::string Words(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += "order " + std::to_string(i % 7) + " arrived; ";
  return text;
}

class ChunkCodecTest : public testing::TestWithParam<ChunkCodec> {};

TEST_P(ChunkCodecTest, GivesBackWhatItTook) {
  for (const std::string& otlp : {std::string(), std::string("x"), Words(10), Words(10'000)}) {
    const std::string record = EncodeChunk(otlp, GetParam());
    std::string scratch;
    EXPECT_THAT(DecodeChunk(record, &scratch), IsOkAndHolds(otlp));
  }
}

TEST_P(ChunkCodecTest, WritesTheRecordThatTheProtoDescribes) {
  const std::string otlp = Words(1000);
  storage::v1::SpanChunkRecord record;
  ASSERT_TRUE(record.ParseFromString(EncodeChunk(otlp, GetParam())));
  EXPECT_EQ(record.schema_version(), 2u);
  EXPECT_EQ(record.codec(), static_cast<uint32_t>(GetParam()));
  EXPECT_EQ(record.content_size(), GetParam() == ChunkCodec::kNone ? 0 : otlp.size());
  EXPECT_LE(record.content().size(),
            GetParam() == ChunkCodec::kNone ? otlp.size() : otlp.size() / 4);
}

TEST_P(ChunkCodecTest, RefusesWhatIsBroken) {
  std::string record = EncodeChunk(Words(1000), GetParam());
  std::string scratch;
  EXPECT_FALSE(DecodeChunk(record.substr(0, record.size() - 1), &scratch).ok());
  storage::v1::SpanChunkRecord large;
  large.set_schema_version(2);
  large.set_codec(1);
  large.set_content_size(kMaxChunkBytes + 1);
  large.set_content("x");
  EXPECT_FALSE(DecodeChunk(large.SerializeAsString(), &scratch).ok());
  large.set_codec(9);
  large.set_content_size(1);
  EXPECT_FALSE(DecodeChunk(large.SerializeAsString(), &scratch).ok());
}

INSTANTIATE_TEST_SUITE_P(Codecs, ChunkCodecTest,
                         testing::Values(ChunkCodec::kNone, ChunkCodec::kLz4, ChunkCodec::kZstd,
                                         ChunkCodec::kZstdSpans, ChunkCodec::kZstdAiSpans));

TEST(ChunkCodecTest, ReadsRecordsOfTheFirstVersion) {
  storage::v1::SpanChunkRecord record;
  record.set_schema_version(1);
  record.set_otlp("spans");
  std::string scratch;
  const std::string bytes = record.SerializeAsString();
  EXPECT_THAT(DecodeChunk(bytes, &scratch), IsOkAndHolds("spans"));
}

// Chunks on disk need the dictionary as it is.
TEST(ChunkCodecTest, NeverChangesTheDictionaries) {
  EXPECT_EQ(json::Sha256Hex(kSpanDictionary),
            "c41fa3ec5ad9957b060581a7da21312a743d957d20f89a0595101e3b54c575c2");
  EXPECT_EQ(json::Sha256Hex(kAiSpanDictionary),
            "8658b6da9ff3a412333a676ebf77f13441f266056c1b4ed83def7a86df7156bd");
}

TEST(ChunkCodecTest, ShortChunksNeedNoTablesOfTheirOwn) {
  std::string otlp;
  for (const char* part : {"assay.span_type", "gen_ai.evaluation.explanation", "It is polite.",
                           "gen_ai.output.messages", "{\"issue\": \"The parcel is late.\"}",
                           "gen_ai.usage.input_tokens", "assay.metadata.assay_judged"}) {
    otlp += part;
    otlp += static_cast<char>(otlp.size());
  }
  EXPECT_LT(EncodeChunk(otlp, ChunkCodec::kZstdAiSpans).size(),
            EncodeChunk(otlp, ChunkCodec::kZstdSpans).size());
}

TEST(ChunkCodecTest, KeepsWhatDoesNotShrink) {
  std::string noise;
  uint32_t state = 1;
  for (int i = 0; i < 1000; ++i) {
    state = state * 1664525 + 1013904223;
    noise.push_back(static_cast<char>(state >> 24));
  }
  const std::string record = EncodeChunk(noise, ChunkCodec::kLz4);
  EXPECT_LE(record.size(), noise.size() + 8);
  std::string scratch;
  EXPECT_THAT(DecodeChunk(record, &scratch), IsOkAndHolds(noise));
}

}  // namespace
}  // namespace assay::trace
