"""Stocks and coins in one book: returns on the sessions of KRX, and worth over accounts."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stocklab.errors import InputError
from stocklab.market.panel import Instruments, Panel, PriceBasis
from stocklab.trading import (
    OUTSIDE,
    Book,
    Entry,
    EntryKind,
    Worth,
    coins_on_sessions,
    join_histories,
    live_worth,
    panel_history,
)


def panel_of(basis: PriceBasis, sessions: np.ndarray, closes: dict[str, list[float]]) -> Panel:
    n, nothing = len(closes), np.full(len(closes), "NaT", dtype="M8[D]")
    return Panel(
        sessions=sessions,
        symbols=tuple(sorted(closes)),
        fields={"close": np.column_stack([closes[symbol] for symbol in sorted(closes)]).astype(np.float32)},
        indices={},
        instruments=Instruments(
            names=("",) * n,
            sectors=("",) * n,
            kinds=np.zeros(n, np.uint8),
            listed_on=nothing,
            delisted_on=nothing,
            delisting_reason=("",) * n,
            pays_last_close=np.zeros(n, np.bool_),
            financial=np.zeros(n, np.bool_),
        ),
        rf=np.zeros(len(sessions)),
        rf_known=False,
        basis=basis,
        snapshot_id="s",
        synthetic=True,
        tv_estimated=False,
        key="k",
    )


def test_coins_compound_over_a_weekend_and_stop_before_the_session() -> None:
    """2026-01-02 is a Friday. A candle is of the UTC day, which ends at 09:00 in Seoul on the day after."""
    sessions = np.array(["2026-01-01", "2026-01-02", "2026-01-05", "2026-01-06"], "M8[D]")
    days = np.arange("2026-01-01", "2026-01-07", dtype="M8[D]")
    # 01-01 .. 01-06; what the session of the 6th may see ends with the candle of the 5th
    coins = panel_of(PriceBasis.COIN, days, {"KRW-BTC": [100, 110, 99, 121, 60.5, 9]})
    stocks = panel_of(PriceBasis.ADJUSTED, sessions, {"005930": [50, 55, np.nan, 44], "000660": [10, 10, 20, 15]})
    both = join_histories(
        panel_history(stocks, ("005930", "000660", "999999"), sessions), panel_history(coins, ("KRW-BTC",), sessions)
    )
    assert both.symbols == ("005930", "000660", "999999", "KRW-BTC")
    # Friday sees the candle of Thursday (100), Monday that of Sunday (121), Tuesday that of Monday (60.5)
    assert_allclose(both.of(["KRW-BTC"])[:, 0], [np.nan, np.nan, 0.21, -0.5], rtol=1e-6)
    assert_allclose(both.of(["005930"])[:, 0], [np.nan, 0.1, np.nan, np.nan], rtol=1e-6)
    assert_allclose(both.of(["000660"])[:, 0], [np.nan, 0.0, 1.0, -0.25], rtol=1e-6)
    assert np.isnan(both.of(["999999", "other"])).all()
    assert both.last(2).sessions.tolist() == sessions[2:].tolist()
    with pytest.raises(InputError, match="same sessions"):
        join_histories(both, both.last(2))


def test_a_missing_candle_is_unknown_and_not_carried() -> None:
    days = np.array(["2026-01-04", "2026-01-06"], "M8[D]")
    sessions = np.array(["2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08"], "M8[D]")
    seen = coins_on_sessions(sessions, days, np.array([[1.0], [2.0]]))
    assert_allclose(seen[:, 0], [1.0, np.nan, 2.0, np.nan])  # nor after the last candle
    assert np.isnan(coins_on_sessions(days, days[:0], np.empty((0, 1)))).all()


def test_a_stock_and_a_coin_account_are_one_book_of_won() -> None:
    def account(cash: int, **held: tuple[str, str]) -> Book:
        entries = [Entry(kind=EntryKind.CASH_ELSEWHERE, sleeve_id=OUTSIDE, cash_krw=Decimal(cash))]
        entries += [
            Entry(kind=EntryKind.UNEXPLAINED, sleeve_id=name, symbol=symbol, quantity=Decimal(quantity))
            for name, (symbol, quantity) in held.items()
        ]
        return Book().apply(entries)

    books = [
        account(1_000, a=("005930", "3"), b=("005930", "2")),
        account(500, a=("KRW-BTC", "0.00000003"), b=("005930", "1"), c=("000020", "7")),
    ]
    prices = {"005930": Decimal(70_000), "KRW-BTC": Decimal(100_000_000), "000020": Decimal(0)}
    markets = {"005930": "KOSPI", "KRW-BTC": "UPBIT", "000020": "KOSPI"}
    found = live_worth(books, prices, markets, {"005930": "Chips"})
    assert found.holdings == (
        Worth(symbol="005930", market="KOSPI", worth_krw=Decimal(420_000), sector="Chips"),
        Worth(symbol="KRW-BTC", market="UPBIT", worth_krw=Decimal(3)),
    )
    assert (found.cash_krw, found.equity_krw) == (1_500, 421_503)
    with pytest.raises(InputError, match="000020: expected a price"):
        live_worth(books, {}, markets)
    with pytest.raises(InputError, match="none of KRW-BTC"):
        live_worth(books, prices, {"005930": "KOSPI", "000020": "KOSPI"})
