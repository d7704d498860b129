"""The arithmetic of the comparison."""

import math

import intervals


def test_ratio_of_equal_ratios_has_no_width():
    middle, low, high = intervals.ratio([2, 4, 8], [1, 2, 4])
    assert math.isclose(middle, 2)
    assert math.isclose(low, 2)
    assert math.isclose(high, 2)


def test_interval_is_students_on_the_logs():
    # Logs of the ratios are 0 and ln 4: mean ln 2, deviation ln 4 / sqrt 2, so the error of the mean is ln 2.
    middle, low, high = intervals.ratio([1, 4], [1, 1])
    assert math.isclose(middle, 2)
    assert math.isclose(high, 2 * 2**12.706)
    assert math.isclose(low, 2 / 2**12.706)


def test_one_pair_says_nothing_about_its_spread():
    assert intervals.ratio([3], [1])[1:] == (0.0, math.inf)
    assert intervals.mean([3]) == (3, math.inf)


def test_no_ratio_where_a_value_is_not_above_zero():
    assert intervals.ratio([1, 2], [1, 0]) is None
    assert intervals.ratio([-1], [1]) is None


def test_mean_with_half_width():
    middle, reach = intervals.mean([1, 3])
    assert middle == 2
    assert math.isclose(reach, 12.706)
