"""Daily returns of holdings on the sessions of KRX; coins are brought onto them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from stocklab.errors import InputError
from stocklab.market.panel import Panel, PriceBasis
from stocklab.types import DateArray, FloatArray

__all__ = ["ReturnHistory", "coins_on_sessions", "join_histories", "panel_history", "returns_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnHistory:
    """Returns by session and symbol.

    Attributes
    ----------
    sessions : (n_sessions,) datetime64[D], ascending, without gaps
    symbols : n_symbols names
    returns : (n_sessions, n_symbols) fraction from the close of the session before to this one; NaN = unknown

    Raises
    ------
    InputError
        Shapes differ, a symbol occurs twice, sessions do not ascend, or a return is infinite or below -1.
    """

    sessions: DateArray
    symbols: tuple[str, ...]
    returns: FloatArray

    def __post_init__(self) -> None:
        if self.returns.shape != (len(self.sessions), len(self.symbols)):
            shape = (len(self.sessions), len(self.symbols))
            raise InputError(f"Expected returns of shape {shape}, found {self.returns.shape}.")
        if len(set(self.symbols)) != len(self.symbols):
            raise InputError("Expected each symbol once.")
        if bool((np.diff(self.sessions) <= np.timedelta64(0, "D")).any()):
            raise InputError("Expected sessions that ascend.")
        if bool(np.isinf(self.returns).any()) or bool((self.returns < -1.0).any()):
            raise InputError("Expected finite returns of at least -1. Hint: fractions, not per cent.")

    def of(self, symbols: Iterable[str]) -> FloatArray:
        """Columns of these symbols; a symbol that is not there is unknown throughout (NaN)."""
        places = {symbol: place for place, symbol in enumerate(self.symbols)}
        columns = [places.get(symbol, -1) for symbol in symbols]
        found: FloatArray = self.returns[:, columns] if self.symbols else np.empty((len(self.sessions), len(columns)))
        found[:, [place < 0 for place in columns]] = np.nan
        return found

    def last(self, n_sessions: int) -> ReturnHistory:
        """The last ``n_sessions``."""
        start = max(len(self.sessions) - n_sessions, 0)
        return ReturnHistory(sessions=self.sessions[start:], symbols=self.symbols, returns=self.returns[start:])


def returns_of(closes: FloatArray) -> FloatArray:
    """Change from each close to the next, the first row NaN; NaN beside an unknown close, or one of 0.

    >>> returns_of(np.array([[100.0], [110.0], [99.0]])).ravel()
    array([ nan,  0.1, -0.1])
    """
    before = closes[:-1]
    ratio = np.divide(closes[1:], before, out=np.full(before.shape, np.nan), where=before > 0.0)
    return np.concatenate([np.full((1, *closes.shape[1:]), np.nan), ratio - 1.0])


def coins_on_sessions(sessions: DateArray, days: DateArray, closes: FloatArray) -> FloatArray:
    """Closes of coins as they stood at the sessions of KRX: of the last UTC day that began before the session's day.

    That day ends at 09:00 in Seoul on the session, six and a half hours before the close of KRX; the day after it ends
    only seventeen and a half hours later. Returns between sessions so compound the days between, weekends and holidays
    included.

    Parameters
    ----------
    sessions : (n_sessions,) datetime64[D]
    days : (n_days,) datetime64[D], ascending
        UTC days of the candles.
    closes : (n_days, n_coins)

    Returns
    -------
    (n_sessions, n_coins); NaN where the candle of the very day before is missing: no price is carried.

    >>> days = np.array(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"], dtype="datetime64[D]")
    >>> monday = np.array(["2026-01-05"], dtype="datetime64[D]")
    >>> coins_on_sessions(monday, days, np.array([[1.0], [2.0], [3.0], [4.0]]))
    array([[4.]])
    """
    wanted = sessions.astype("datetime64[D]") - np.timedelta64(1, "D")
    found = np.full((len(sessions), closes.shape[1]), np.nan)
    if len(days):
        places = np.minimum(np.searchsorted(days, wanted), len(days) - 1)
        known = days[places] == wanted
        found[known] = closes[places[known]]
    return found


def panel_history(panel: Panel, symbols: Sequence[str], sessions: DateArray) -> ReturnHistory:
    """Returns of symbols of a panel on these sessions of KRX, by adjusted closes (corporate actions are no returns).

    A symbol the panel does not have is unknown throughout, and so is a session it does not reach. The first session has
    no return, since there is no close before it: give one session more than are wanted.
    """
    places = {symbol: place for place, symbol in enumerate(panel.symbols)}
    columns = [symbol for symbol in symbols if symbol in places]
    days = panel.sessions.astype("datetime64[D]")
    closes = np.asarray(panel.fields["close"][:, [places[symbol] for symbol in columns]], dtype=np.float64)
    if panel.basis is PriceBasis.COIN:
        on_sessions = coins_on_sessions(sessions, days, closes)
    else:
        at = np.minimum(np.searchsorted(days, sessions), len(days) - 1)
        on_sessions = np.where((days[at] == sessions)[:, None], closes[at], np.nan)
    history = ReturnHistory(sessions=sessions, symbols=tuple(columns), returns=returns_of(on_sessions))
    return ReturnHistory(sessions=sessions, symbols=tuple(symbols), returns=history.of(symbols))


def join_histories(first: ReturnHistory, other: ReturnHistory) -> ReturnHistory:
    """Both side by side.

    Raises
    ------
    InputError
        Their sessions differ, or a symbol is in both.
    """
    if not np.array_equal(first.sessions, other.sessions):
        raise InputError("Expected the same sessions. Hint: bring coins onto the sessions of KRX first.")
    return ReturnHistory(
        sessions=first.sessions,
        symbols=first.symbols + other.symbols,
        returns=np.concatenate([first.returns, other.returns], axis=1),
    )
