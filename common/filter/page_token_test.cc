#include "common/filter/page_token.h"

#include <string>
#include <string_view>
#include <vector>

#include "common/filter/order_by.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::filter {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const PageScope kScope{"trace.SearchTraces", "experiments/e", "a = 1", "create_time desc"};

TEST(PageTokenTest, CarriesAnyBytes) {
  const std::string cursor("\0\xFF key", 7);
  const std::string token = EncodePageToken(kScope, cursor);
  EXPECT_EQ(
      token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
      std::string::npos);
  EXPECT_THAT(DecodePageToken(kScope, token), IsOkAndHolds(cursor));
  EXPECT_THAT(DecodePageToken(kScope, EncodePageToken(kScope, "")), IsOkAndHolds(""));
  EXPECT_THAT(DecodePageToken(kScope, ""), IsOkAndHolds(""));
}

TEST(PageTokenTest, RefusesTokensOfOtherRequests) {
  const std::string token = EncodePageToken(kScope, "x");
  for (PageScope other :
       {PageScope{"m", kScope.parent, kScope.filter, kScope.order_by},
        PageScope{kScope.method, "p", kScope.filter, kScope.order_by},
        PageScope{kScope.method, kScope.parent, "", kScope.order_by},
        PageScope{kScope.method, kScope.parent, kScope.filter, ""},
        PageScope{kScope.method + kScope.parent, "", kScope.filter, kScope.order_by}}) {
    EXPECT_THAT(DecodePageToken(other, token),
                AllOf(HasReason("INVALID_PAGE_TOKEN"), HasFieldViolation("page_token")));
  }
}

TEST(PageTokenTest, RefusesDamage) {
  const std::string token = EncodePageToken(kScope, "some cursor");
  for (size_t i = 0; i < token.size(); ++i) {
    std::string damaged = token;
    damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
    if (i + 1 < token.size()) {  // Of the last character, some bits mean nothing.
      EXPECT_THAT(DecodePageToken(kScope, damaged), HasReason("INVALID_PAGE_TOKEN")) << i;
    }
    if (i > 0) {
      EXPECT_THAT(DecodePageToken(kScope, token.substr(0, i)), HasReason("INVALID_PAGE_TOKEN"))
          << i;
    }
  }
  EXPECT_THAT(DecodePageToken(kScope, "!"), HasReason("INVALID_PAGE_TOKEN"));
  EXPECT_THAT(DecodePageToken(kScope, std::string(10000, 'A')), HasReason("INVALID_PAGE_TOKEN"));
}

TEST(PageSizeTest, AppliesDefaultAndMaximum) {
  EXPECT_THAT(EffectivePageSize(0), IsOkAndHolds(50));
  EXPECT_THAT(EffectivePageSize(1), IsOkAndHolds(1));
  EXPECT_THAT(EffectivePageSize(1000), IsOkAndHolds(1000));
  EXPECT_THAT(EffectivePageSize(1001), IsOkAndHolds(1000));
  EXPECT_THAT(EffectivePageSize(-1), HasFieldViolation("page_size"));
}

TEST(OrderByTest, ReadsTerms) {
  const std::vector<std::string_view> allowed = {"create_time", "name"};
  EXPECT_THAT(ParseOrderBy(" ", allowed), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(ParseOrderBy("create_time  desc, name", allowed),
              IsOkAndHolds(ElementsAre(OrderTerm{"create_time", true}, OrderTerm{"name", false})));
}

TEST(OrderByTest, RefusesAndListsTheAllowed) {
  const std::vector<std::string_view> allowed = {"create_time", "name"};
  EXPECT_THAT(ParseOrderBy("size", allowed),
              AllOf(HasReason("INVALID_ORDER_BY"), HasFieldViolation("order_by"),
                    StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("create_time, name"))));
  for (const std::string_view text :
       {"name up", "name,,create_time", ",", "name, name", "name desc x"}) {
    EXPECT_THAT(ParseOrderBy(text, allowed), HasReason("INVALID_ORDER_BY")) << text;
  }
  EXPECT_THAT(ParseOrderBy("name, create_time", allowed, 1), HasReason("INVALID_ORDER_BY"));
}

}  // namespace
}  // namespace assay::filter
