"""Ratios of interleaved pairs, with their uncertainty."""

import math
import statistics

# 97.5 % quantiles of Student's t by degrees of freedom, from 1.
_T975 = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


def t975(degrees):
    """For more degrees than the table has, its last value: a little wider than needed."""
    return _T975[min(degrees, len(_T975)) - 1]


def ratio(ours, floors):
    """Geometric mean of ours/floor over pairs, and its 95 % interval: (ratio, low, high). None if a value is not above
    zero; the interval is infinite for a single pair."""
    if not ours or any(value <= 0 for value in (*ours, *floors)):
        return None
    logs = [math.log(a / b) for a, b in zip(ours, floors, strict=True)]
    middle = statistics.fmean(logs)
    if len(logs) < 2:
        return math.exp(middle), 0.0, math.inf
    reach = t975(len(logs) - 1) * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(middle), math.exp(middle - reach), math.exp(middle + reach)


def mean(values):
    """Mean and half the width of its 95 % interval."""
    middle = statistics.fmean(values)
    if len(values) < 2:
        return middle, math.inf
    return middle, t975(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
