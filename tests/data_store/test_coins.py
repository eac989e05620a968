"""Coins in the store: daily candles of Upbit become a panel on a calendar of their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from stocklab.data import Store, import_paths, open_panel
from stocklab.data.panel_open import basis_for
from stocklab.errors import BrokenInput, DataError, InputError
from stocklab.market.panel import COIN_UNIT, KIND_CODES, MARKET_CODES, PriceBasis
from stocklab.strategy.document import Universe

Put = Callable[[str, pl.DataFrame], Path]
COINS = Universe.model_validate({"markets": ("UPBIT",)})


def candles(rows: list[tuple[int, str, float, float, float, float, float]]) -> pl.DataFrame:
    """(day of February 2024, market, open, high, low, close, volume)."""
    names = ["day", "market", "open", "high", "low", "close", "volume"]
    frame = pl.DataFrame(rows, schema=names, orient="row")
    return frame.with_columns(date=pl.date(2024, 2, pl.col("day"))).drop("day")


# Friday 9 to Tuesday 13 February: KRX was closed from the 9th to the 12th
WEEKEND = candles(
    [
        (9, "KRW-BTC", 60e6, 61e6, 59e6, 60.5e6, 10.5),
        (10, "KRW-BTC", 60.5e6, 62e6, 60e6, 61e6, 0.00000001),
        (13, "KRW-BTC", 61e6, 63e6, 61e6, 62e6, 8.0),
        (10, "KRW-XRP", 712.3, 720.1, 710.0, 715.4, 1e9),
        (11, "KRW-XRP", 715.4, 716.0, 0.12345678, 714.9, 2e9),
    ]
)


def test_every_day_is_a_session_and_a_missing_day_a_halt(store: Store, put: Put) -> None:
    report = import_paths(store, [put("upbit_krw_daily_x.parquet", WEEKEND)])
    assert report.added == {"instruments": 2, "prices_coin": 5}
    panel = open_panel(store, basis=PriceBasis.COIN)
    assert [str(day) for day in panel.sessions] == [f"2024-02-{day:02}" for day in (9, 10, 11, 12, 13)]
    assert (panel.symbols, panel.unit, panel.basis) == (("KRW-BTC", "KRW-XRP"), COIN_UNIT, PriceBasis.COIN)
    fields = {name: values.T.tolist() for name, values in panel.fields.items()}
    assert fields["close"][0] == [60.5e6, 61e6, 61e6, 61e6, 62e6]
    assert fields["open"][0] == [60e6, 60.5e6, 61e6, 61e6, 61e6]
    assert fields["volume"][0] == [10.5, 0.00000001, 0, 0, 8.0]
    assert fields["traded"] == [[True, True, False, False, True], [False, True, True, False, False]]
    # the series of XRP begins on the second day and ends on the third
    assert fields["listed"] == [[True] * 5, [False, True, True, False, False]]
    assert fields["list_age"][0] == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal(fields["list_age"][1], [np.nan, 1, 2, np.nan, np.nan])
    assert fields["market"][0] == [MARKET_CODES["UPBIT"]] * 5
    assert fields["tv"][0] == [60.5e6 * 10.5, 61e6 * 0.00000001, 0, 0, 62e6 * 8]
    assert panel.indices["KRW-BTC"].tolist() == fields["close"][0]
    assert panel.instruments.names == ("BTC", "XRP")
    assert panel.instruments.kinds.tolist() == [KIND_CODES["coin"]] * 2
    assert all(panel.fields[name].dtype == np.float64 for name in ("open", "high", "low", "close"))
    assert panel.notes == ("2 days without a candle are kept as halts at the close before.",)


def test_coins_beside_stocks_are_never_one_panel(store: Store, put: Put, daily: Callable[..., pl.DataFrame]) -> None:
    import_paths(store, [put("krx_daily_x.parquet", daily())])
    import_paths(store, [put("upbit_krw_daily_x.parquet", WEEKEND)])
    snapshot = store.current()
    assert snapshot is not None
    assert snapshot.manifest.symbols_by_market["UPBIT"] == 2
    assert open_panel(store).basis is PriceBasis.ADJUSTED, "coins are opened only when a universe asks for them"
    assert open_panel(store).symbols == ("000020", "005930")
    assert basis_for(COINS, None) is PriceBasis.COIN
    assert basis_for(Universe(), None) is None
    with pytest.raises(InputError, match=r"universe is of coins, which have no raw prices"):
        basis_for(COINS, PriceBasis.RAW)
    with pytest.raises(InputError, match=r"universe is of stocks, which have no coin prices"):
        basis_for(Universe(), PriceBasis.COIN)


def test_a_home_of_coins_alone_opens_them(store: Store, put: Put) -> None:
    import_paths(store, [put("upbit_krw_daily_x.parquet", WEEKEND)])
    assert open_panel(store).basis is PriceBasis.COIN
    with pytest.raises(DataError, match="no adjusted bars"):
        open_panel(store, basis=PriceBasis.ADJUSTED)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"market": pl.lit("BTC-ETH")}, r"expected a market of Upbit in won such as KRW-BTC, found 'BTC-ETH'"),
        ({"open": pl.col("open") + 1e-9}, r"at most eight decimals"),
        ({"high": pl.col("high") * 0.5}, r"high of at least open, low and close"),
        ({"volume": -pl.col("volume")}, r"a volume of 0 or more"),
    ],
)
def test_what_cannot_be_is_refused(store: Store, put: Put, changed: dict[str, pl.Expr], message: str) -> None:
    frame = WEEKEND.filter(pl.col("market") == "KRW-XRP").with_columns(**changed)
    with pytest.raises(BrokenInput, match=message):
        import_paths(store, [put("upbit_krw_daily_x.parquet", frame)])
    assert store.current_id() is None


def test_a_day_again_with_another_close_is_a_decision(store: Store, put: Put) -> None:
    import_paths(store, [put("upbit_krw_daily_x.parquet", WEEKEND)])
    later = candles([(13, "KRW-BTC", 61e6, 63e6, 61e6, 62.5e6, 9.0), (14, "KRW-BTC", 62.5e6, 63e6, 62e6, 63e6, 7.0)])
    with pytest.raises(
        BrokenInput, match=r"\(KRW-BTC, 2024-02-13\) has close 62500000.0 here, but 62000000.0 is stored"
    ):
        import_paths(store, [put("upbit_krw_daily_y.parquet", later)])
    import_paths(store, [put("upbit_krw_daily_y.parquet", later)], replace=True)
    panel = open_panel(store)
    assert panel.fields["close"][:, 0].tolist()[-2:] == [62.5e6, 63e6]
    assert str(panel.sessions[-1]) == date(2024, 2, 14).isoformat()
