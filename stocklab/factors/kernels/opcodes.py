"""Numbers of the operations the machine knows. Groups are contiguous: the machine tells them apart by range."""

from __future__ import annotations

from typing import Final

__all__ = ["BY_NAME"]

# unary
NEG: Final = 0
ABS: Final = 1
NOT: Final = 2
TRUTH: Final = 3
SIGN: Final = 4
SQUARE: Final = 5
SQRT: Final = 6
LOG: Final = 7
EXP: Final = 8
POS: Final = 9
NZ: Final = 10
LAST_UNARY: Final = 10
# binary
ADD: Final = 20
SUB: Final = 21
MUL: Final = 22
DIV: Final = 23
POW: Final = 24
AND: Final = 25
OR: Final = 26
MAX: Final = 27
MIN: Final = 28
COALESCE: Final = 29
GROWTH: Final = 30
LAST_BINARY: Final = 30
# comparisons
GT: Final = 40
LT: Final = 41
GE: Final = 42
LE: Final = 43
EQ: Final = 44
NE: Final = 45
LAST_COMPARISON: Final = 45
# ternary and variadic
CLIP: Final = 50
WHERE: Final = 51
CAGR: Final = 52
LAST_TERNARY: Final = 52
NAVG: Final = 60
# movement of values
LOAD: Final = 70
STORE: Final = 71
STORE_BIT: Final = 72
# shifts
LAG: Final = 80
DELTA: Final = 81
RET: Final = 82
LAST_SHIFT: Final = 82
# windows in which every value must be there
TSUM: Final = 90
TMEAN: Final = 91
TSTD: Final = 92
TMAX: Final = 93
TMIN: Final = 94
LAST_FULL: Final = 94
# windows that may skip nulls
TSUM_PART: Final = 100
TMEAN_PART: Final = 101
TSTD_PART: Final = 102
TMAX_PART: Final = 103
TMIN_PART: Final = 104
TSKEW: Final = 105
TMEANDEV: Final = 106
TARGMAX: Final = 107
TARGMIN: Final = 108
TMDD: Final = 109
LAST_PART: Final = 109
# windows kept in order
TQUANTILE: Final = 120
TTAILMEAN: Final = 121
TTOPMEAN: Final = 122
TPCTRANK: Final = 123
LAST_ORDERED: Final = 123
# two series
TSLOPE: Final = 130
TR2: Final = 131
TCORR: Final = 132
TBETA: Final = 133
TBETA_DOWN: Final = 134
TCOSKEW: Final = 135
LAST_PAIR: Final = 135
# regressions
TOLSSTD: Final = 140
TOLSRES_IR: Final = 141
LAST_REGRESSION: Final = 141
# state carried from the first bar
EMA: Final = 150
RMA: Final = 151
WSUM: Final = 152
STREAK: Final = 153
BARS_SINCE: Final = 154
OBV_LINE: Final = 155
CS_SPREAD1: Final = 156
PSAR: Final = 157
LAST_RECURSIVE: Final = 157
# windows of quarters
QMEAN: Final = 160
QSTD: Final = 161
LAST_QUARTERS: Final = 161
# across the symbols of a session
XRANK: Final = 170
XPCT: Final = 171
XZ: Final = 172
XZR: Final = 173
XWINSOR: Final = 174
XMEDIAN_BY: Final = 175
XWMEAN_BY: Final = 176

BY_NAME: Final[dict[str, int]] = {
    name.lower(): value
    for name, value in globals().items()
    if isinstance(value, int) and name.isupper() and not name.startswith("LAST_")
}
