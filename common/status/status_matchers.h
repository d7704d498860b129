// GoogleTest matchers for absl::Status and absl::StatusOr. For tests only.
//
//   EXPECT_OK(store.Put(...));
//   ASSAY_ASSERT_OK_AND_ASSIGN(auto value, store.Get(...));
//   EXPECT_THAT(status_or, IsOkAndHolds(Eq(3)));
//   EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_size")));
//   EXPECT_THAT(status, HasReason("INVALID_FIELD"));
#ifndef ASSAY_COMMON_STATUS_STATUS_MATCHERS_H_
#define ASSAY_COMMON_STATUS_STATUS_MATCHERS_H_

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/status/errors.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace assay::inline status {

namespace internal_matchers {

inline const absl::Status& AsStatus(const absl::Status& status) { return status; }
template <class T>
const absl::Status& AsStatus(const absl::StatusOr<T>& status_or) {
  return status_or.status();
}

template <class Matcher>
class OkAndHolds {
 public:
  explicit OkAndHolds(Matcher matcher) : matcher_(std::move(matcher)) {}

  template <class StatusOrT>
  operator testing::Matcher<StatusOrT>() const {  // NOLINT: implicit, as GoogleMock wants it.
    return testing::Matcher<StatusOrT>(new Typed<StatusOrT>(matcher_));
  }

 private:
  template <class StatusOrT>
  class Typed : public testing::MatcherInterface<StatusOrT> {
    using Value = typename std::remove_cv_t<std::remove_reference_t<StatusOrT>>::value_type;

   public:
    explicit Typed(const Matcher& matcher)
        : matcher_(testing::SafeMatcherCast<const Value&>(matcher)) {}

    bool MatchAndExplain(StatusOrT actual, testing::MatchResultListener* listener) const override {
      if (!actual.ok()) {
        *listener << "which is " << actual.status();
        return false;
      }
      return matcher_.MatchAndExplain(*actual, listener);
    }
    void DescribeTo(std::ostream* os) const override {
      *os << "is OK and holds a value that ";
      matcher_.DescribeTo(os);
    }
    void DescribeNegationTo(std::ostream* os) const override {
      *os << "is not OK or holds a value that does not match: ";
      matcher_.DescribeTo(os);
    }

   private:
    testing::Matcher<const Value&> matcher_;
  };

  Matcher matcher_;
};

}  // namespace internal_matchers

MATCHER(IsOk, negation ? "is an error" : "is OK") {
  const absl::Status& status = internal_matchers::AsStatus(arg);
  if (!status.ok()) *result_listener << "which is " << status;
  return status.ok();
}

MATCHER_P(StatusHasCode, code,
          std::string(negation ? "does not have code " : "has code ") +
              absl::StatusCodeToString(code)) {
  const absl::Status& status = internal_matchers::AsStatus(arg);
  *result_listener << "which is " << status;
  return status.code() == code;
}

MATCHER_P2(StatusHasCodeAndMessage, code, message_matcher,
           std::string(negation ? "does not have code " : "has code ") +
               absl::StatusCodeToString(code) + " and a message that " +
               testing::DescribeMatcher<std::string>(message_matcher)) {
  const absl::Status& status = internal_matchers::AsStatus(arg);
  *result_listener << "which is " << status;
  return status.code() == code && testing::Matches(testing::SafeMatcherCast<std::string>(
                                      message_matcher))(std::string(status.message()));
}

inline auto StatusIs(absl::StatusCode code) { return StatusHasCode(code); }
template <class MessageMatcher>
auto StatusIs(absl::StatusCode code, MessageMatcher message_matcher) {
  return StatusHasCodeAndMessage(code, std::move(message_matcher));
}

// The error's ErrorInfo.reason is `reason`.
MATCHER_P(HasReason, reason,
          std::string(negation ? "does not have reason " : "has reason ") + std::string(reason)) {
  const absl::Status& status = internal_matchers::AsStatus(arg);
  *result_listener << "whose reason is \"" << ErrorReason(status) << "\" in " << status;
  return ErrorReason(status) == reason;
}

// One of the error's field violations is about `field`.
MATCHER_P(HasFieldViolation, field,
          std::string(negation ? "has no violation of field " : "has a violation of field ") +
              std::string(field)) {
  const absl::Status& status = internal_matchers::AsStatus(arg);
  *result_listener << "which is " << status;
  for (const FieldViolation& violation : FieldViolations(status)) {
    if (violation.field == field) return true;
  }
  return false;
}

template <class Matcher>
internal_matchers::OkAndHolds<std::decay_t<Matcher>> IsOkAndHolds(Matcher&& matcher) {
  return internal_matchers::OkAndHolds<std::decay_t<Matcher>>(std::forward<Matcher>(matcher));
}

}  // namespace assay::inline status

#ifndef ASSERT_OK
#define ASSERT_OK(expr) ASSERT_THAT(expr, ::assay::status::IsOk())
#endif
#ifndef EXPECT_OK
#define EXPECT_OK(expr) EXPECT_THAT(expr, ::assay::status::IsOk())
#endif

// Only in functions that return void (tests, SetUp).
#define ASSAY_ASSERT_OK_AND_ASSIGN(lhs, ...) \
  ASSAY_ASSERT_ASSIGN_(ASSAY_MATCHERS_CONCAT_(assay_statusor_, __LINE__), lhs, (__VA_ARGS__))
#define ASSAY_MATCHERS_CONCAT_INNER_(a, b) a##b
#define ASSAY_MATCHERS_CONCAT_(a, b) ASSAY_MATCHERS_CONCAT_INNER_(a, b)
#define ASSAY_ASSERT_ASSIGN_(holder, lhs, expr) \
  auto holder = expr;                           \
  ASSERT_THAT(holder, ::assay::status::IsOk()); \
  lhs = *std::move(holder)

#endif  // ASSAY_COMMON_STATUS_STATUS_MATCHERS_H_
