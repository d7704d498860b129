#include "common/stats/sign_test.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>

namespace assay::stats {

double SignTestOneSided(int64_t worse, int64_t better) {
  if (worse <= 0) return 1;
  const boost::math::binomial_distribution<> coin(static_cast<double>(worse + better), 0.5);
  return boost::math::cdf(boost::math::complement(coin, static_cast<double>(worse - 1)));
}

double SignTestTwoSided(int64_t worse, int64_t better) {
  return std::min(1.0,
                  2 * std::min(SignTestOneSided(worse, better), SignTestOneSided(better, worse)));
}

}  // namespace assay::stats
