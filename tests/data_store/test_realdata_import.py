"""The real files of the Korean market: what their README says of them must come out of the store."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from stocklab.data import Store, bars, import_paths, open_panel
from stocklab.errors import BrokenInput
from stocklab.market.calendar import sessions_between
from stocklab.market.panel import KIND_CODES, PriceBasis

pytestmark = pytest.mark.realdata

IMPORT = """
import resource, sys
from pathlib import Path
from stocklab.data import Store, import_paths
folder = Path(sys.argv[2])
names = ("krx_daily_2013_2019", "krx_daily_2020_2026", "krx_index_daily", "krx_sectors")
import_paths(Store(Path(sys.argv[1])), [folder / f"{name}.parquet" for name in names])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(peak)
"""


@pytest.fixture(scope="module")
def imported(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, int]:
    """A home with both daily files, index and sectors, imported once in a process of its own; and what that cost."""
    home = tmp_path_factory.mktemp("real") / "home"
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(home), str(real_data)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return Store(home), int(done.stdout.splitlines()[-1])


def test_import_fits_its_memory(imported: tuple[Store, int]) -> None:
    _, peak_bytes = imported
    assert peak_bytes <= 3e9


def test_the_daily_panel_is_what_its_readme_says(imported: tuple[Store, int]) -> None:
    store, _ = imported
    panel = open_panel(store)
    assert panel.basis is PriceBasis.ADJUSTED
    assert (panel.n_sessions, panel.n_symbols) == (3_082, 2_899)
    calendar = sessions_between(date(2013, 7, 29), date(2026, 2, 20))
    assert np.array_equal(panel.sessions, calendar)
    close, traded = panel.fields["close"], panel.fields["traded"]
    assert int((~np.isnan(close)).sum()) == 6_803_308
    # no trade: 124,602 halted rows, 59,035 with O=H=L=C and volume 0, 8 with an open of 0 although volume is reported
    assert int((~np.isnan(close) & ~traded).sum()) == 124_602 + 59_035
    assert close.dtype == np.float32
    years = panel.sessions.astype("datetime64[Y]").astype(int) + 1970
    per_year = [int((~np.isnan(close[years == year])).any(axis=0).sum()) for year in (2013, 2019, 2025, 2026)]
    assert per_year == [1_628, 2_238, 2_895, 2_735]
    named = np.array([name != "" for name in panel.instruments.names])  # 48 codes left the master since
    assert int((~named).sum()) == 48
    kinds = np.bincount(panel.instruments.kinds[named], minlength=7)
    assert (kinds[KIND_CODES["preferred"]], kinds[KIND_CODES["spac"]], kinds[KIND_CODES["reit"]]) == (113, 68, 25)
    snapshot = store.current()
    assert snapshot is not None
    assert snapshot.manifest.quality["prices_adjusted.jumps"] == 119
    assert snapshot.manifest.quality["prices_adjusted.gaps"] == 3
    assert panel.instruments.sectors[panel.column("005930")] != ""


def test_every_value_of_a_symbol_arrives(imported: tuple[Store, int], real_data: Path) -> None:
    store, _ = imported
    panel = open_panel(store)
    snapshot = store.current()
    assert snapshot is not None
    files = [real_data / "krx_daily_2013_2019.parquet", real_data / "krx_daily_2020_2026.parquet"]
    for symbol in ("005930", "036220", "001520"):
        given = pl.scan_parquet(files).filter(pl.col("code") == symbol).sort("date").collect()
        column = panel.column(symbol)
        rows = np.searchsorted(panel.sessions, given["date"].to_numpy())
        traded = (given["open"].to_numpy() > 0) & (given["volume"].to_numpy() > 0)
        for name in ("open", "high", "low", "close"):
            expected = np.where(traded, given[name].to_numpy(), given["close"].to_numpy())
            assert np.array_equal(panel.fields[name][rows, column], expected)
        assert np.array_equal(panel.fields["volume"][rows, column], np.where(traded, given["volume"].to_numpy(), 0))
        outside = np.ones(panel.n_sessions, dtype=bool)
        outside[rows] = False
        assert np.isnan(panel.fields["close"][outside, column]).all()
        assert bars(snapshot, symbol, PriceBasis.ADJUSTED).height == given.height


def test_a_panel_that_is_built_is_mapped_not_read(imported: tuple[Store, int]) -> None:
    store, _ = imported
    open_panel(store)
    panel = open_panel(store)
    assert all(isinstance(field.base, np.memmap) for field in panel.fields.values())


def test_tail_on_another_scale_is_refused(imported: tuple[Store, int], real_data: Path) -> None:
    store, _ = imported
    before = store.current_id()
    with pytest.raises(BrokenInput, match=r"krx_daily_2026_tail.parquet, row 1616, column 'close'.*--new-rows-only"):
        import_paths(store, [real_data / "krx_daily_2026_tail.parquet"])
    assert store.current_id() == before


def test_the_tail_continues_the_panel_after_rebasing(imported: tuple[Store, int], real_data: Path, tmp_path: Path):
    home = tmp_path / "home"
    shutil.copytree(imported[0].home, home, copy_function=os.link, ignore=shutil.ignore_patterns("panels", "*.lock"))
    store = Store(home)
    report = import_paths(store, [real_data / "krx_daily_2026_tail.parquet"], rebase=True)
    tail = pl.read_parquet(real_data / "krx_daily_2026_tail.parquet")
    given = pl.read_parquet(real_data / "krx_daily_2020_2026.parquet")
    # computed here by itself: symbols whose closes of the overlap differ, by a factor that rounding explains or not
    both = tail.join(given, on=["date", "code"], suffix="_old").filter(pl.col("volume") > 0, pl.col("volume_old") > 0)
    factor, wrong = {}, set()
    for (code,), rows in both.group_by("code"):
        new, old = rows["close"].to_numpy(), rows["close_old"].to_numpy()
        if (new != old).any():
            ratio = new.sum() / old.sum()
            if len(new) >= 5 and np.all(np.abs(new - old * ratio) <= (1 + ratio) / 2 + 0.5):
                factor[code] = ratio
            else:
                wrong.add(code)
    assert len(factor) > 90, "the notes on the data count 35 + 62 of them"
    snapshot = store.current()
    assert snapshot is not None
    rows = snapshot.scan("prices_adjusted").collect()
    assert (
        set(rows.filter(pl.col("session") > date(2026, 2, 20))["symbol"].unique())
        == set(tail.filter(pl.col("date") > date(2026, 2, 20), pl.col("close") > 0)["code"].unique()) - wrong
    )
    before = imported[0].current()
    assert before is not None
    old_rows = before.scan("prices_adjusted").collect()
    compared = rows.join(old_rows, on=["symbol", "session"], suffix="_old").with_columns(
        factor=pl.col("symbol").replace_strict(factor, default=1.0)
    )
    assert compared.height == old_rows.height
    # whole won, and a factor of 4.998 from rounded closes may be the consolidation's own 5
    off = (pl.col("close") - pl.col("close_old") * pl.col("factor")).abs() / pl.col("close")
    assert compared.filter((off > 0.002 + 0.5 / pl.col("close")) & (pl.col("close") > 1)).is_empty()
    assert compared.filter((pl.col("factor") == 1.0) & (pl.col("volume") != pl.col("volume_old"))).is_empty()
    assert f"of {len(factor)} symbols" in " ".join(report.notes)


def test_raw_windows(real_data: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "home")
    import_paths(store, [*sorted(real_data.glob("marcap_*.parquet")), real_data / "krx_delisted.parquet"])
    panel = open_panel(store)
    assert panel.basis is PriceBasis.RAW
    assert panel.n_sessions == 33 + 31 + 30 + 29 + 25 + 33 + 10
    mcap, shares = panel.fields["mcap"], panel.fields["shares_listed"]
    known = ~np.isnan(mcap)
    assert int(known.sum()) == 518_444
    assert np.array_equal(mcap[known], (panel.fields["close_raw"].astype(np.float64) * shares)[known])
    # 2021-01-22 is missing in the file: no event may be read out of the step from the 21st to the 25th
    step = int(np.searchsorted(panel.sessions, np.datetime64("2021-01-25")))
    raw, adjusted = panel.fields["close_raw"], panel.fields["close"]
    both = ~np.isnan(raw[step]) & ~np.isnan(raw[step - 1])
    assert np.allclose((adjusted[step] / adjusted[step - 1])[both], (raw[step] / raw[step - 1].astype(float))[both])
    # 365590 was consolidated 5 to 1 on 2026-01-15: 30,978,350 shares became a fifth, the base price about five times
    event = int(np.searchsorted(panel.sessions, np.datetime64("2026-01-15")))
    assert panel.fields["split_ratio"][event, panel.column("365590")] == np.float32(0.2)


def test_adjusted_and_raw_returns_agree(imported: tuple[Store, int], real_data: Path, tmp_path: Path) -> None:
    raw_store = Store(tmp_path / "home")
    import_paths(raw_store, [real_data / "marcap_2024.parquet"])
    raw, whole = open_panel(raw_store), open_panel(imported[0])
    rows = np.searchsorted(whole.sessions, raw.sessions)
    columns = [(raw.column(symbol), whole.column(symbol)) for symbol in raw.symbols if symbol in set(whole.symbols)]
    ours = raw.fields["close"][:, [one for one, _ in columns]].astype(float)
    theirs = whole.fields["close"][np.ix_(rows, [other for _, other in columns])].astype(float)
    with np.errstate(invalid="ignore"):
        difference = np.abs(ours[1:] / ours[:-1] - theirs[1:] / theirs[:-1])
    difference = difference[~np.isnan(difference)]
    # the vendor rounds to whole won, so low prices differ a little; the README found over 99.9 % within 0.2 points
    assert (difference < 0.002).mean() > 0.995
    assert (difference < 0.01).mean() > 0.9995
