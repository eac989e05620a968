"""``stocklab data sync`` in a process of its own, as a user runs it, against a fake exchange."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from fakes.http_service import Fault
from fakes.krx_openapi import KEY, FakeKrxOpenApi

from stocklab.market.calendar import sessions_between

TODAY = date.today()
DAYS = sessions_between(TODAY - timedelta(days=30), TODAY - timedelta(days=4), expected=True).astype(object).tolist()


@pytest.fixture
def krx() -> Iterator[FakeKrxOpenApi]:
    rows = [
        {
            "date": day,
            "code": code,
            "name": f"종목{code}",
            "market": market,
            "dept": None,
            "open": close,
            "high": close + 2,
            "low": close - 2,
            "close": close,
            "change": 1,
            "volume": 100,
            "amount": 100 * close,
            "listed_shares": 1000,
            "market_cap": 1000 * close,
        }
        for number, day in enumerate(DAYS)
        for code, market in (("000010", "KOSPI"), ("000020", "KOSPI"), ("030010", "KOSDAQ"))
        for close in (1000 + number,)
    ]
    indices = [
        {"date": day, "index": name, "open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0, "volume": 1, "amount": 1}
        | {"change": 0.0, "change_pct": 0.0, "market_cap": 1}
        for day in DAYS
        for name in ("KOSPI", "KOSPI200", "KOSDAQ", "KOSDAQ150")
    ]
    with FakeKrxOpenApi(
        pl.DataFrame(rows, schema_overrides={"dept": pl.String}), indices=pl.DataFrame(indices)
    ) as fake:
        fake.approvals[KEY] = {
            name for name in fake.approvals[KEY] if name.startswith(("sto/stk_bydd", "sto/ksq_bydd", "idx/"))
        }
        yield fake


def stocklab(home: Path, krx: FakeKrxOpenApi, *arguments: str, key: str = KEY) -> list[str]:
    os.environ.pop("STOCKLAB_HOME", None)
    environment = {
        "STOCKLAB_HOME": str(home),
        "STOCKLAB_KRX_OPENAPI_URL": krx.url,
        "STOCKLAB_KRX_OPENAPI_KEY": key,
        "STOCKLAB_HISTORY_FROM": str(DAYS[-3]),
    }
    values = [f"{name}={value}" for name, value in environment.items()]
    return ["env", *values, sys.executable, "-m", "stocklab.cli", *arguments]


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)


def test_a_sync_stores_bars_and_names_what_must_be_applied_for(krx: FakeKrxOpenApi, tmp_path: Path):
    home = tmp_path / "home"
    done = run(stocklab(home, krx, "data", "sync", "--json"))
    assert done.returncode == 4, "two services are not approved, and that is said"
    report = json.loads(done.stdout)
    outcomes = {feed["feed"]: feed["outcome"] for feed in report["feeds"]}
    assert outcomes["krx_openapi.stocks"] == outcomes["krx_openapi.indices"] == "left", "the last days are not out"
    assert outcomes["krx_openapi.etfs"] == outcomes["krx_openapi.instruments"] == "denied"
    assert report["added"] == {"prices_raw": 9, "indices": 12}
    message = next(feed["message"] for feed in report["feeds"] if feed["feed"] == "krx_openapi.etfs")
    assert "ETF" in message
    status = run(stocklab(home, krx, "data", "status"))
    assert f"{DAYS[-3]} .. {DAYS[-1]}" in status.stdout
    sources = run(stocklab(home, krx, "data", "sources", "--json"))
    assert json.loads(sources.stdout)["requests_today"]["krx_openapi"] == len(krx.seen), "counted across processes"
    assert KEY not in done.stdout + done.stderr + sources.stdout + sources.stderr


def test_a_wrong_key_is_asked_once_a_feed_and_explained(krx: FakeKrxOpenApi, tmp_path: Path):
    done = run(stocklab(tmp_path / "home", krx, "data", "sync", key="WRONG" * 8))
    assert done.returncode == 4
    assert len(krx.seen) <= 4
    assert "denied" in done.stdout
    unknown = run(stocklab(tmp_path / "home", krx, "data", "sync", "--source", "yahoo"))
    assert unknown.returncode == 2
    assert "Unknown source 'yahoo'" in unknown.stderr


def test_stopped_by_a_signal_it_keeps_what_it_has(krx: FakeKrxOpenApi, tmp_path: Path):
    home = tmp_path / "home"
    krx.fail(Fault.SLOW, times=1, seconds=1.5, when=lambda seen: len(krx.seen) > 6)
    process = subprocess.Popen(
        stocklab(home, krx, "data", "sync", "--source", "krx_openapi"), stdout=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while len(krx.seen) <= 6 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped on request" in output
    assert run(stocklab(home, krx, "data", "status")).returncode == 0
    assert not list((home / "market" / "inbox").glob("*/*"))
