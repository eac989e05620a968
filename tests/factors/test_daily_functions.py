"""Every daily function against a slow twin written from docs/factors.md, on random series with null gaps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stocklab.factors import FUNCTIONS, evaluate_series
from stocklab.factors.functions import Family

NAN = math.nan
BARS = 60


def null(value: float) -> bool:
    return value != value


def fold(function: Callable[..., float], *series: Sequence[float]) -> list[float]:
    """Apply to each bar; an undefined or infinite result is null."""
    out = []
    for values in zip(*series, strict=True):
        try:
            value = float(function(*(float(value) for value in values)))
        except (ZeroDivisionError, ValueError, OverflowError):
            value = NAN
        out.append(NAN if math.isinf(value) else value)
    return out


def strict(function: Callable[..., float]) -> Callable[..., float]:
    return lambda *values: NAN if any(null(value) for value in values) else function(*values)


ELEMENTWISE: dict[str, tuple[str, Callable[..., float]]] = {
    "abs": ("abs(close)", strict(abs)),
    "sign": ("sign(close)", strict(lambda a: (a > 0) - (a < 0))),
    "log": ("log(close)", strict(math.log)),
    "exp": ("exp(close)", strict(math.exp)),
    "sqrt": ("sqrt(close)", strict(math.sqrt)),
    "max": ("max(close,open,low)", strict(max)),
    "min": ("min(close,open,low)", strict(min)),
    "clip": ("clip(close,open,low)", strict(lambda x, low, high: min(max(x, low), high))),
    "pos": ("pos(close)", strict(lambda a: a if a > 0 else NAN)),
    "nz": ("nz(close)", lambda a: 0.0 if null(a) else a),
    "coalesce": ("coalesce(close,open,low)", lambda *values: next((v for v in values if not null(v)), NAN)),
    "navg": (
        "navg(close,open,low)",
        lambda *values: (
            sum(v for v in values if not null(v)) / sum(not null(v) for v in values)
            if 2 * sum(not null(v) for v in values) >= len(values)
            else NAN
        ),
    ),
    "where": ("where(close,open,low)", lambda c, a, b: NAN if null(c) else (a if c != 0 else b)),
    "growth": ("growth(close,open)", strict(lambda a, b: 100 * (a / b - 1) if b > 0 else NAN)),
    "cagr": (
        "cagr(close,open,low)",
        strict(lambda a, b, y: 100 * ((a / b) ** (1 / y) - 1) if a > 0 and b > 0 else NAN),
    ),
    "+": ("close+open", strict(lambda a, b: a + b)),
    "-": ("close-open", strict(lambda a, b: a - b)),
    "*": ("close*open", strict(lambda a, b: a * b)),
    "/": ("close/open", strict(lambda a, b: a / b)),
    "**": ("close**open", strict(math.pow)),
    "**2": ("close**2", strict(lambda a: a * a)),
    "**-1": ("close**-1", strict(lambda a: 1 / a)),
    "negative": ("-close", strict(lambda a: -a)),
    ">": ("close>open", strict(lambda a, b: a > b)),
    "<": ("close<open", strict(lambda a, b: a < b)),
    ">=": ("close>=open", strict(lambda a, b: a >= b)),
    "<=": ("close<=open", strict(lambda a, b: a <= b)),
    "==": ("close==open", strict(lambda a, b: a == b)),
    "!=": ("close!=open", strict(lambda a, b: a != b)),
    "&": ("close&open", strict(lambda a, b: a != 0 and b != 0)),
    "|": ("close|open", strict(lambda a, b: a != 0 or b != 0)),
    "~": ("~close", strict(lambda a: a == 0)),
}


# --- windows: a function of the window's values, oldest first, nulls still inside -------------------------------------


def present(window: Sequence[float]) -> list[float]:
    return [value for value in window if not null(value)]


def deviation(values: Sequence[float], ddof: int) -> float:
    if len(values) <= ddof:
        return NAN
    if len(set(values)) == 1:
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - ddof))


def central(values: Sequence[float], power: int) -> float:
    if len(set(values)) == 1:
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** power for value in values) / len(values)


def mean_deviation(values: Sequence[float]) -> float:
    if len(set(values)) == 1:
        return 0.0
    mean = math.fsum(values) / len(values)
    return math.fsum(abs(value - mean) for value in values) / len(values)


def skewness(values: Sequence[float]) -> float:
    spread = central(values, 2)
    return central(values, 3) / spread**1.5 if spread > 0 else NAN


def quantile(values: Sequence[float], p: float) -> float:
    return float(np.quantile(values, p))


def tail_mean(values: Sequence[float], p: float) -> float:
    limit = quantile(values, p)
    below = [value for value in values if value <= limit * (1 + 1e-15) or value <= limit]
    return sum(below) / len(below) if below else NAN


def percent_rank(window: Sequence[float]) -> float:
    values = present(window)
    today = window[-1]
    if null(today) or len(values) < 2:
        return NAN
    smaller = sum(value < today for value in values)
    equal = sum(value == today for value in values) - 1
    return (smaller + 0.5 * equal) / (len(values) - 1)


def bars_since_extreme(window: Sequence[float], best: Callable[[Sequence[float]], float]) -> float:
    goal = best(present(window))
    return next(lag for lag, value in enumerate(reversed(window)) if value == goal)


def drawdown(values: Sequence[float]) -> float:
    high, worst = -math.inf, -math.inf
    for value in values:
        high = max(high, value)
        if high == 0:
            return NAN
        worst = max(worst, 1 - value / high)
    return worst


def line_fit(window: Sequence[float]) -> tuple[float, float]:
    pairs = [(float(place), value) for place, value in enumerate(window) if not null(value)]
    return pair_fit(pairs)


def pair_fit(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Slope of y on x, and squared correlation, for pairs (x, y)."""
    xs, ys = [x for x, _ in pairs], [y for _, y in pairs]
    if len(set(xs)) < 2:
        return NAN, NAN
    mean_x, mean_y = math.fsum(xs) / len(xs), math.fsum(ys) / len(ys)
    xx = math.fsum((x - mean_x) ** 2 for x in xs)
    yy = 0.0 if len(set(ys)) == 1 else math.fsum((y - mean_y) ** 2 for y in ys)
    xy = 0.0 if yy == 0 else math.fsum((x - mean_x) * (y - mean_y) for x, y in pairs)
    return xy / xx, (xy * xy / (xx * yy) if yy > 0 else NAN)


def correlation(pairs: Sequence[tuple[float, float]]) -> float:
    slope, squared = pair_fit(pairs)
    return NAN if null(squared) else math.copysign(math.sqrt(squared), slope)


def down_beta(pairs: Sequence[tuple[float, float]]) -> float:
    mean = math.fsum(x for x, _ in pairs) / len(pairs)
    return pair_fit([(x, y) for x, y in pairs if x < mean])[0] if len({x for x, _ in pairs}) > 1 else NAN


def coskewness(pairs: Sequence[tuple[float, float]]) -> float:
    slope, squared = pair_fit(pairs)
    if null(squared):
        return NAN
    xs, ys = np.array([x for x, _ in pairs]), np.array([y for _, y in pairs])
    gap = xs - xs.mean()
    rest = (ys - ys.mean()) - slope * gap
    if (rest**2).sum() <= 1e-13 * ((ys - ys.mean()) ** 2).sum():
        return NAN
    return float((rest * gap**2).mean() / (math.sqrt((rest**2).mean()) * (gap**2).mean()))


def least_squares(rows: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Coefficients (constant first) and SSE of column 0 on the others; None when they are dependent."""
    design = np.column_stack([np.ones(len(rows)), rows[:, 1:] - rows[:, 1:].mean(axis=0)])
    if len(rows) < design.shape[1] or np.linalg.matrix_rank(design, tol=1e-9) < design.shape[1]:
        return None
    beta = np.linalg.lstsq(design, rows[:, 0], rcond=None)[0]
    return beta, float(((rows[:, 0] - design @ beta) ** 2).sum())


WINDOWED: dict[str, tuple[str, Callable[[Sequence[float]], float]]] = {
    "sma": ("", lambda w: math.fsum(present(w)) / len(present(w))),
    "tmean": ("", lambda w: math.fsum(present(w)) / len(present(w))),
    "tsum": ("", lambda w: math.fsum(present(w))),
    "tmax": ("", lambda w: max(present(w))),
    "tmin": ("", lambda w: min(present(w))),
    "tcount": ("", lambda w: sum(value != 0 for value in present(w))),
    "tstd": (",1", lambda w: deviation(present(w), 1)),
    "tmeandev": ("", lambda w: mean_deviation(present(w))),
    "tskew": ("", lambda w: skewness(present(w))),
    "tquantile": (",0.3", lambda w: quantile(present(w), 0.3)),
    "ttailmean": (",0.3", lambda w: tail_mean(present(w), 0.3)),
    "ttopmean": (",2", lambda w: sum(sorted(present(w))[-2:]) / 2 if len(present(w)) >= 2 else NAN),
    "tpctrank": ("", percent_rank),
    "targmax": ("", lambda w: bars_since_extreme(w, max)),
    "targmin": ("", lambda w: bars_since_extreme(w, min)),
    "tmdd": ("", lambda w: drawdown(present(w))),
    "tslope": ("", lambda w: line_fit(w)[0]),
    "tr2": ("", lambda w: line_fit(w)[1]),
}
PAIRED: dict[str, Callable[[Sequence[tuple[float, float]]], float]] = {  # f(close,open,n) as pairs (x, y)
    "tcorr": correlation,
    "tbeta": lambda pairs: pair_fit(pairs)[0],
    "tbeta_down": down_beta,
    "tcoskew": coskewness,
}


def windows(series: Sequence[float], n: int, m: int, function: Callable[[Sequence[float]], float]) -> list[float]:
    """The window before the first bar counts as null."""
    padded = [NAN] * (n - 1) + [float(value) for value in series]
    return [function(padded[t : t + n]) if len(present(padded[t : t + n])) >= m else NAN for t in range(len(series))]


def pair_windows(columns: dict[str, np.ndarray], n: int, m: int, function: Callable[..., float]) -> list[float]:
    out = []
    for t in range(len(columns["close"])):
        rows = range(max(0, t - n + 1), t + 1)
        pairs = [(float(columns["open"][i]), float(columns["close"][i])) for i in rows]
        pairs = [pair for pair in pairs if not null(pair[0]) and not null(pair[1])]
        out.append(function(pairs) if len(pairs) >= m else NAN)
    return out


def ols_windows(columns: dict[str, np.ndarray], n: int, m: int, ddof: int) -> list[float]:
    table = np.column_stack([columns[name] for name in ("close", "open", "low")])
    out = []
    for t in range(len(table)):
        rows = table[max(0, t - n + 1) : t + 1]
        rows = rows[~np.isnan(rows).any(axis=1)]
        fit = least_squares(rows) if len(rows) >= m and len(rows) > ddof else None
        out.append(math.sqrt(fit[1] / (len(rows) - ddof)) if fit else NAN)
    return out


def residual_ratio_windows(columns: dict[str, np.ndarray], n: int, m: int, far: int, near: int) -> list[float]:
    table = np.column_stack([columns[name] for name in ("close", "open")])
    out = []
    for t in range(len(table)):
        window = table[max(0, t - n + 1) : t + 1]
        rows = window[~np.isnan(window).any(axis=1)]
        fit = least_squares(rows) if len(rows) >= m else None
        value = NAN
        if fit:
            recent = table[max(0, t - far + 1) : t - near + 1]
            recent = recent[~np.isnan(recent).any(axis=1)]
            rest = recent[:, 0] - fit[0][0] - fit[0][1] * (recent[:, 1] - rows[:, 1].mean())
            spread = rest.std(ddof=1) if len(rest) >= 2 else 0.0
            value = rest.mean() / spread if spread > 1e-9 else NAN
        out.append(value)
    return out


# --- state from the first bar -------------------------------------------------------------------------------------------


def averaged(series: Sequence[float], n: int, step: Callable[[float, float], float], skip: int = 0) -> list[float]:
    known = [t for t, value in enumerate(series) if not null(value)][skip:]
    out = [NAN] * len(series)
    if len(known) < n:
        return out
    state = sum(series[t] for t in known[:n]) / n
    out[known[n - 1]] = state
    for t in known[n:]:
        state = step(state, series[t])
        out[t] = state
    return out


def wilder_sum(series: Sequence[float], n: int) -> list[float]:
    known = [t for t, value in enumerate(series) if not null(value)]
    out = [NAN] * len(series)
    state = sum(series[t] for t in known[: n - 1])
    for t in known[n - 1 :]:
        state = state - state / n + series[t]
        out[t] = state
    return out


def streak(series: Sequence[float]) -> list[float]:
    out, run = [], 0
    for value in series:
        run = run + 1 if not null(value) and value != 0 else 0
        out.append(NAN if null(value) else float(run))
    return out


def bars_since(series: Sequence[float]) -> list[float]:
    out, last = [], None
    for t, value in enumerate(series):
        last = t if not null(value) and value != 0 else last
        out.append(NAN if last is None else float(t - last))
    return out


def obv(closes: Sequence[float], volumes: Sequence[float]) -> list[float]:
    out, total, before = [], 0.0, None
    for close, volume in zip(closes, volumes, strict=True):
        if null(close) or null(volume):
            out.append(NAN)
            continue
        total += volume if before is None else volume * ((close > before) - (close < before))
        before = close
        out.append(total)
    return out


def corwin_schultz(columns: dict[str, list[float]]) -> list[float]:
    high, low, close = (columns[name] for name in ("high", "low", "close"))
    k = 3 - 2 * math.sqrt(2)
    out = [NAN]
    for t in range(1, len(high)):
        h, lo = high[t], low[t]
        values = (h, lo, high[t - 1], low[t - 1], close[t - 1])
        if any(null(v) for v in values) or h == lo or high[t - 1] == low[t - 1]:
            out.append(NAN)
            continue
        shift = max(lo - close[t - 1], 0) - max(close[t - 1] - h, 0)
        h, lo = h - shift, lo - shift
        b = math.log(h / lo) ** 2 + math.log(high[t - 1] / low[t - 1]) ** 2
        g = math.log(max(h, high[t - 1]) / min(lo, low[t - 1])) ** 2
        a = (math.sqrt(2 * b) - math.sqrt(b)) / k - math.sqrt(g / k)
        out.append(max(2 * (math.exp(a) - 1) / (1 + math.exp(a)), 0))
    return out


def parabolic(highs: Sequence[float], lows: Sequence[float], a: float, m: float) -> list[float]:
    """Section 5 on the bars that are there, written as long and its mirror image."""
    known = [t for t in range(len(highs)) if not null(highs[t]) and not null(lows[t])]
    out = [NAN] * len(highs)
    if len(known) < 2:
        return out
    h, lo = [highs[t] for t in known], [lows[t] for t in known]
    side = -1 if lo[0] - lo[1] > max(h[1] - h[0], 0) else 1
    top = {1: h, -1: [-value for value in lo]}  # mirrored: a short position sees negated lows as highs
    bottom = {1: lo, -1: [-value for value in h]}
    sar, ep, af = bottom[side][0], top[side][1], a
    for t in range(1, len(known)):
        before = t if t == 1 else t - 1
        if bottom[side][t] <= sar:
            stop = max(ep, top[side][before], top[side][t])
            out[known[t]] = side * stop
            side, af = -side, a
            # the same price on the other side of the mirror
            ep = top[side][t]
            sar = min(-stop + af * (ep + stop), bottom[side][before], bottom[side][t])
        else:
            out[known[t]] = side * sar
            if top[side][t] > ep:
                ep, af = top[side][t], min(af + a, m)
            sar = min(sar + af * (ep - sar), bottom[side][before], bottom[side][t])
    return out


def plain(arrays: dict[str, np.ndarray], n: int) -> dict[str, tuple[str, list[float]]]:
    """Functions without minobs: formula and expected values."""
    columns = {name: values.tolist() for name, values in arrays.items()}
    x = columns["close"]
    past = [NAN] * n + x[:-n]
    return {
        "lag": (f"lag(close,{n})", past),
        "delta": (f"delta(close,{n})", fold(strict(lambda a, b: a - b), x, past)),
        "ret": (f"ret(close,{n})", fold(strict(lambda a, b: a / b - 1), x, past)),
        "ema": (f"ema(close,{n})", averaged(x, n, lambda y, v: y + 2 / (n + 1) * (v - y))),
        "ema_skip": (f"ema(close,{n},4)", averaged(x, n, lambda y, v: y + 2 / (n + 1) * (v - y), skip=4)),
        "rma": (f"rma(close,{n})", averaged(x, n, lambda y, v: (y * (n - 1) + v) / n)),
        "wsum": (f"wsum(close,{n})", wilder_sum(x, n)),
        "streak": ("streak(close>open)", streak(fold(strict(lambda a, b: a > b), x, columns["open"]))),
        "bars_since": ("bars_since(close>open)", bars_since(fold(strict(lambda a, b: a > b), x, columns["open"]))),
        "obv_line": ("obv_line(close,open)", obv(x, columns["open"])),
        "cs_spread1": ("cs_spread1(high,low,close)", corwin_schultz(columns)),
        "psar": ("psar(high,low,0.02,0.2)", parabolic(columns["high"], columns["low"], 0.02, 0.2)),
    }


# --- the comparison -----------------------------------------------------------------------------------------------------


@st.composite
def random_columns(draw: st.DrawFn, *, positive: bool = False) -> dict[str, np.ndarray]:
    """Series with ties, flat stretches, gaps and jumps of scale; high > low, both positive."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    scale = draw(st.sampled_from([1.0, 1000.0]))
    step = draw(st.sampled_from([0.0, 0.25, 1.0]))
    gap = draw(st.sampled_from([0.0, 0.05, 0.3]))
    columns = {}
    for name in ("close", "open", "low", "high"):
        values = rng.normal(0, 1, BARS) * scale
        values = np.round(values / step) * step if step else values
        flat = draw(st.integers(0, BARS - 1))
        values[flat : flat + draw(st.integers(0, 25))] = values[flat]
        values = np.abs(values) + 1 if positive else values
        values[rng.random(BARS) < gap] = NAN
        columns[name] = values + 0.0
    middle = np.abs(columns["low"]) + 100 * scale
    columns["low"], columns["high"] = middle, middle + np.abs(columns["high"])
    return columns


def agree(formula: str, expected: Sequence[float], columns: dict[str, np.ndarray], *, noise: float = 1e-9) -> None:
    found = evaluate_series(formula, columns)
    expected_array = np.array(expected, dtype=np.float64)
    size = np.nanmax(np.abs(expected_array)) if np.isfinite(expected_array).any() else 0.0
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected_array), err_msg=formula)
    np.testing.assert_allclose(found, expected_array, rtol=1e-9, atol=noise * max(size, 1.0), err_msg=formula)


moderate = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", ELEMENTWISE)
@moderate
@given(columns=random_columns())
def test_elementwise(name: str, columns: dict[str, np.ndarray]) -> None:
    formula, function = ELEMENTWISE[name]
    used = [column for column in ("close", "open", "low") if column in formula]
    if name in ("where", "clip", "cagr", "navg", "coalesce", "max", "min"):
        used = ["close", "open", "low"]
    columns["close"][:3] = [0.0, 0.0, 1.0]
    columns["open"][:3] = [0.0, NAN, NAN]
    agree(formula, fold(function, *(columns[column] for column in used)), columns, noise=1e-12)


@pytest.mark.parametrize("name", WINDOWED)
@moderate
@given(columns=random_columns(), n=st.sampled_from([1, 2, 3, 7, 20, 61]), part=st.sampled_from([None, 1, 2]))
def test_windowed(name: str, columns: dict[str, np.ndarray], n: int, part: int | None) -> None:
    n = max(n, 2) if name in ("tstd", "ttopmean") else n
    m = n if part is None else max(1, min(n, n // part))
    extra, function = WINDOWED[name]
    keyword = f",minobs={m}" if part else ""
    agree(f"{name}(close,{n}{extra}{keyword})", windows(columns["close"], n, m, function), columns)


@pytest.mark.parametrize("name", PAIRED)
@moderate
@given(columns=random_columns(), n=st.sampled_from([2, 3, 8, 20, 61]), part=st.sampled_from([None, 2]))
def test_paired(name: str, columns: dict[str, np.ndarray], n: int, part: int | None) -> None:
    m = n if part is None else max(1, n // part)
    keyword = f",minobs={m}" if part else ""
    agree(f"{name}(close,open,{n}{keyword})", pair_windows(columns, n, m, PAIRED[name]), columns)


@moderate
@given(columns=random_columns(), n=st.sampled_from([5, 9, 20]), part=st.sampled_from([None, 2]))
def test_regressions(columns: dict[str, np.ndarray], n: int, part: int | None) -> None:
    columns["low"] = columns["low"] + np.linspace(0, 1, BARS) ** 2
    m = n if part is None else n // part
    keyword = f",minobs={m}" if part else ""
    agree(f"tolsstd(close,{n},1,open,low{keyword})", ols_windows(columns, n, m, 1), columns, noise=1e-6)
    expected = residual_ratio_windows(columns, n, m, 4, 1)
    agree(f"tolsres_ir(close,{n},4,1,open{keyword})", expected, columns, noise=1e-6)


@moderate
@given(columns=random_columns(positive=True), n=st.sampled_from([1, 2, 5, 14]))
def test_plain_and_recursive(columns: dict[str, np.ndarray], n: int) -> None:
    for formula, expected in plain(columns, n).values():
        agree(formula, expected, columns)


def test_every_daily_and_elementwise_function_has_a_twin() -> None:
    columns = {name: np.ones(BARS) for name in ("close", "open", "high", "low")}
    twins = {*ELEMENTWISE, *WINDOWED, *PAIRED, *plain(columns, 3), "tolsstd", "tolsres_ir"}
    asked = {n for n, f in FUNCTIONS.items() if f.family in (Family.DAILY, Family.ELEMENTWISE)}
    assert asked <= twins


# --- accuracy -----------------------------------------------------------------------------------------------------------


def test_no_drift_over_many_bars_and_no_trace_of_outliers() -> None:
    rng = np.random.default_rng(5)
    series = 1 + rng.normal(0, 1e-3, 6000)
    series[1000] = 1e12
    series[2500] = -1e9
    series[4000] = NAN
    n = 252
    view = np.lib.stride_tricks.sliding_window_view(series, n)
    centred = view - view.mean(axis=1, keepdims=True)
    expected = {
        f"tsum(close,{n})": np.array([math.fsum(row) for row in view]),
        f"tmean(close,{n})": np.array([math.fsum(row) / n for row in view]),
        f"tstd(close,{n},1)": np.array([deviation(row, 1) if not np.isnan(row).any() else NAN for row in view]),
        f"tskew(close,{n})": (centred**3).mean(axis=1) / (centred**2).mean(axis=1) ** 1.5,
    }
    for formula, values in expected.items():
        found = evaluate_series(formula, {"close": series})[n - 1 :]
        np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-11, err_msg=formula)


@pytest.mark.parametrize("level", [1.1, 0.1, 1 / 3, 12345.678, 1e-9, 7e15])
@pytest.mark.parametrize("formula", ["tstd(close,20,0)", "tstd(close,20,1,minobs=5)", "tmeandev(close,20)"])
def test_a_flat_window_has_exactly_no_deviation(level: float, formula: str) -> None:
    series = np.concatenate([np.linspace(1, 1e6, 37), np.full(60, level)])
    assert (evaluate_series(formula, {"close": series})[56:] == 0).all()
    for ratio in (
        "tskew(close,20)",
        "tr2(close,20)",
        "tbeta(open,close,20)",
        "tcorr(close,open,20)",
        "close/tstd(close,20,1)",
    ):
        columns = {"close": series, "open": np.sin(np.arange(97.0))}
        assert np.isnan(evaluate_series(ratio, columns)[56:]).all()


def test_flat_lines_stay_exactly_where_they_are() -> None:
    series = np.full(400, 12345.678)
    for formula in (
        "close-ema(close,20)",
        "close-rma(close,14)",
        "close-tmax(close,9)",
        "close-tquantile(close,9,0.37)",
    ):
        values = evaluate_series(formula, {"close": series})
        assert (values[25:] == 0).all()
