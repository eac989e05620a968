"""What a bar must be to enter the store, and the store's form of a day without trade."""

from __future__ import annotations

from typing import Final

import polars as pl

from stocklab.data.convert import refuse_where
from stocklab.data.reading import SourceFile
from stocklab.errors import BrokenInput

__all__ = ["check_coins", "check_symbols", "normalize_bars"]

_SYMBOL: Final = r"^[0-9A-Z]{6}$"
_COIN: Final = r"^KRW-[0-9A-Z]{1,10}$"


def check_symbols(symbols: pl.Series, file: SourceFile, column: str) -> None:
    """Refuse codes that are not six characters of digits and capitals.

    Raises
    ------
    BrokenInput
        Names the first row with another code.
    """
    _check_pattern(
        symbols,
        _SYMBOL,
        file,
        column,
        expected="a code of six digits or capital letters such as 005930",
        hint="keep codes as text: spreadsheets drop leading zeros.",
    )


def check_coins(symbols: pl.Series, file: SourceFile, column: str) -> None:
    """Refuse what is not a market of Upbit in won.

    Raises
    ------
    BrokenInput
        Names the first row with another market.
    """
    _check_pattern(
        symbols,
        _COIN,
        file,
        column,
        expected="a market of Upbit in won such as KRW-BTC",
        hint="markets in BTC and USDT have other ticks and fees and are not simulated.",
    )


def _check_pattern(
    symbols: pl.Series, pattern: str, file: SourceFile, column: str, *, expected: str, hint: str
) -> None:
    distinct = symbols.unique()
    wrong = distinct.filter(~distinct.str.contains(pattern))
    if len(wrong):
        row = symbols.is_in(wrong.implode()).arg_max()
        number = int(row) if row is not None else 0
        raise BrokenInput(
            f"expected {expected}, found {symbols[number]!r}.", file=file.name, row=number + 1, column=column, hint=hint
        )


def normalize_bars(bars: pl.DataFrame, file: SourceFile, names: dict[str, str]) -> pl.DataFrame:
    """Check daily bars and bring days without trade to one form.

    Parameters
    ----------
    bars : frame
        Rows in the file's order; session, symbol, open, high, low, close, volume (Int64, of coins
        Float64; prices in KRW).
    names : ours -> the file's column name, for messages

    Returns
    -------
    The same rows; where nothing traded (volume 0 or open 0, as halted days are published) open, high and low are null,
    volume and traded value (where there is one) are 0 and close is the carried price.

    Raises
    ------
    BrokenInput
        A price is negative or missing, volume is negative, or open, high, low and close contradict each other.
    """
    for ours in ("open", "high", "low", "close"):
        refuse_where(bars[ours] < 0, file, names[ours], "a price of 0 or more")
    refuse_where(bars["close"] == 0, file, names["close"], "a close above 0 (also on days without trade)")
    refuse_where(bars["volume"] < 0, file, names["volume"], "a volume of 0 or more")
    traded = (bars["volume"] > 0) & (bars["open"].fill_null(-1) != 0)
    for ours in ("open", "high", "low"):
        refuse_where(traded & bars[ours].is_null(), file, names[ours], "a price on a day with trades", found="nothing")
    top = bars.select(pl.max_horizontal("open", "close", "low")).to_series()
    bottom = bars.select(pl.min_horizontal("open", "close")).to_series()
    _refuse_contradiction(
        traded & (bars["high"] < top), bars, file, names["high"], "a high of at least open, low and close"
    )
    _refuse_contradiction(traded & (bars["low"] > bottom), bars, file, names["low"], "a low of at most open and close")
    shown = pl.Series("traded", traded)
    return bars.with_columns(
        *(pl.when(shown).then(pl.col(name)).alias(name) for name in ("open", "high", "low")),
        pl.when(shown).then(pl.col("volume")).otherwise(0).alias("volume"),
        *(pl.when(shown | pl.col(name).is_null()).then(pl.col(name)).otherwise(0) for name in ("tv",) if name in bars),
    )


def _refuse_contradiction(mask: pl.Series, bars: pl.DataFrame, file: SourceFile, column: str, expected: str) -> None:
    if mask.any():
        row = bars.filter(mask.fill_null(value=False)).row(0, named=True)
        found = ", ".join(f"{name} {row[name]}" for name in ("open", "high", "low", "close"))
        refuse_where(mask, file, column, expected, found=found)
