"""Daily functions of section 2.3 on one stock's bars: every window is cut out and looked at by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

__all__ = ["BARS", "WINDOWS", "rolling"]

Array = np.ndarray[Any, np.dtype[np.float64]]
NULL = float("nan")


def rolling(function: Callable[..., float], series: list[Array], n: int, minobs: int | None, *marks: float) -> Array:
    """``function(*windows, *marks)`` at every bar; a window is null unless it is whole, or ``minobs`` are known."""
    length = len(series[0])
    out = np.full(length, NULL)
    padded = [np.concatenate([np.full(n - 1, NULL), values]) for values in series]
    known = np.all([~np.isnan(values) for values in padded], axis=0)
    counts = np.convolve(known, np.ones(n, dtype=int), mode="valid")
    for t in np.flatnonzero(counts >= (n if minobs is None else minobs)):
        windows = [values[t : t + n] for values in padded]
        out[t] = function(*windows, *marks)
    return np.where(np.isfinite(out), out, NULL)


def present(*windows: Array) -> list[Array]:
    """The bars at which every series is known."""
    if not any(np.isnan(window.min()) for window in windows):
        return list(windows)
    whole = ~np.any([np.isnan(window) for window in windows], axis=0)
    return [window[whole] for window in windows]


def flat(values: Array) -> bool:
    return bool((values == values[0]).all())


def centred(values: Array) -> Array:
    return np.zeros(len(values)) if flat(values) else values - values.mean()


def deviation(values: Array, ddof: float) -> float:
    if len(values) <= ddof:
        return NULL
    return float(np.sqrt((centred(values) ** 2).sum() / (len(values) - ddof)))


def tstd(x: Array, ddof: float) -> float:
    return deviation(present(x)[0], ddof)


def tskew(x: Array) -> float:
    away = centred(present(x)[0])
    spread = (away**2).mean()
    return float((away**3).mean() / spread**1.5) if spread > 0 else NULL


def tquantile(x: Array, p: float) -> float:
    values = np.sort(present(x)[0])
    place = (len(values) - 1) * p
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return float(values[low] + (place - low) * (values[high] - values[low]))


def ttailmean(x: Array, p: float) -> float:
    values = present(x)[0]
    return float(values[values <= tquantile(x, p)].mean())


def ttopmean(x: Array, k: float) -> float:
    values = np.sort(present(x)[0])
    return float(values[-int(k) :].mean()) if len(values) >= k else NULL


def tpctrank(x: Array) -> float:
    values, today = present(x)[0], x[-1]
    if np.isnan(today) or len(values) < 2:
        return NULL
    return float(((values < today).sum() + 0.5 * ((values == today).sum() - 1)) / (len(values) - 1))


def targmax(x: Array) -> float:
    newest_first = x[::-1]
    return float(np.flatnonzero(newest_first == present(x)[0].max())[0])


def tmdd(x: Array) -> float:
    values = present(x)[0]
    peaks = np.maximum.accumulate(values)
    return float((1 - values / peaks).max()) if (peaks != 0).all() else NULL


def tslope(x: Array) -> float:
    values, bars = present(x, np.arange(len(x), dtype=float))
    spread = (centred(bars) ** 2).sum()
    return float((centred(bars) * centred(values)).sum() / spread) if spread > 0 else NULL


def tcorr(x: Array, y: Array) -> float:
    a, b = (centred(values) for values in present(x, y))
    size = np.sqrt((a**2).sum()) * np.sqrt((b**2).sum())
    return float((a * b).sum() / size) if size > 0 else NULL


def tr2(x: Array) -> float:
    return tcorr(x, np.arange(len(x), dtype=float)) ** 2


def tbeta(y: Array, x: Array) -> float:
    a, b = (centred(values) for values in present(y, x))
    spread = (b**2).sum()
    return float((a * b).sum() / spread) if spread > 0 else NULL


def tbeta_down(y: Array, x: Array) -> float:
    a, b = present(y, x)
    down = centred(b) < 0
    if down.sum() < 2 or ((b[down] - b[down].mean()) ** 2).sum() <= 1e-14 * (b[down] ** 2).sum():
        return NULL
    return tbeta(a[down], b[down])


def _residuals(y: Array, columns: list[Array]) -> Array | None:
    """Of y on 1 and the columns; None where they are a combination of one another."""
    factors = np.column_stack([centred(column) for column in columns])
    sizes = np.sqrt((factors**2).sum(axis=0))
    if not (sizes > 0).all() or len(y) <= len(columns):
        return None
    scaled = factors / sizes
    if np.linalg.svd(scaled, compute_uv=False)[-1] < 1e-6:
        return None
    away = centred(y)
    coefficients = np.linalg.lstsq(scaled, away, rcond=None)[0]
    return np.asarray(away - scaled @ coefficients)


def tcoskew(y: Array, x: Array) -> float:
    a, b = present(y, x)
    error = _residuals(a, [b])
    if error is None:
        return NULL
    noise = (error**2).mean()
    market = centred(b)
    if noise <= 1e-14 * (centred(a) ** 2).mean():
        return NULL
    return float((error * market**2).mean() / (np.sqrt(noise) * (market**2).mean()))


def tolsstd(y: Array, *rest: Any) -> float:
    *columns, ddof = rest
    target, *known = present(y, *columns)
    error = _residuals(target, known)
    return NULL if error is None or len(target) <= ddof else float(np.sqrt((error**2).sum() / (len(target) - ddof)))


def tolsres_ir(y: Array, *rest: Any) -> float:
    *columns, far, near = rest
    lags = np.arange(len(y), dtype=float)[::-1]
    target, lag, *known = present(y, lags, *columns)
    error = _residuals(target, known)
    if error is None:
        return NULL
    chosen = error[(lag >= near) & (lag <= far - 1)]
    spread = deviation(chosen, 1) if len(chosen) >= 2 else 0.0
    return float(chosen.mean() / spread) if spread > 0 else NULL


# name -> function of the window(s), then of the numbers behind the window's length
WINDOWS: Final[dict[str, Callable[..., float]]] = {
    "sma": lambda x: float(present(x)[0].mean()),
    "tmean": lambda x: float(present(x)[0].mean()),
    "tsum": lambda x: float(present(x)[0].sum()),
    "tmax": lambda x: float(present(x)[0].max()),
    "tmin": lambda x: float(present(x)[0].min()),
    "tcount": lambda x: float((present(x)[0] != 0).sum()),
    "tstd": tstd,
    "tmeandev": lambda x: float(np.abs(centred(present(x)[0])).mean()),
    "tskew": tskew,
    "tquantile": tquantile,
    "ttailmean": ttailmean,
    "ttopmean": ttopmean,
    "tpctrank": tpctrank,
    "targmax": targmax,
    "targmin": lambda x: targmax(-x),
    "tmdd": tmdd,
    "tslope": tslope,
    "tr2": tr2,
    "tcorr": tcorr,
    "tbeta": tbeta,
    "tbeta_down": tbeta_down,
    "tcoskew": tcoskew,
    "tolsstd": tolsstd,
    "tolsres_ir": tolsres_ir,
}


def lag(x: Array, n: int) -> Array:
    return np.concatenate([np.full(min(n, len(x)), NULL), x[: max(len(x) - n, 0)]])


def ret(x: Array, n: int) -> Array:
    before = lag(x, n)
    with np.errstate(all="ignore"):
        change = x / np.where(before == 0, NULL, before) - 1
    return np.where(np.isfinite(change), change, NULL)


def streak(condition: Array) -> Array:
    out, run = np.full(len(condition), NULL), 0.0
    for t, value in enumerate(condition):
        run = run + 1 if not np.isnan(value) and value != 0 else 0.0
        out[t] = NULL if np.isnan(value) else run
    return out


def bars_since(condition: Array) -> Array:
    out, last = np.full(len(condition), NULL), None
    for t, value in enumerate(condition):
        if not np.isnan(value) and value != 0:
            last = t
        out[t] = NULL if last is None else t - last
    return out


BARS: Final[dict[str, Callable[..., Array]]] = {
    "lag": lag,
    "delta": lambda x, n: x - lag(x, n),
    "ret": ret,
    "streak": streak,
    "bars_since": bars_since,
}
