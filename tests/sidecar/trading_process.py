"""A scheduler process that trades, for tests: the real lane and adapter, on a clock that runs from a given moment.

``python trading_process.py URL HOME BEGUN SHOWN``: at BEGUN by the machine's clock, its own showed SHOWN.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from stocklab.db import open_database
from stocklab.live.instruments import Instrument
from stocklab.logs import configure_logging
from stocklab.settings import load_settings
from stocklab.sidecar.scheduler import Pulse, run_scheduler
from stocklab.sidecar.trading_lane import TradingLane
from stocklab.sidecar.trading_work import trading_parts


def instrument(symbol: str) -> Instrument:
    """This home has no market data."""
    return Instrument(symbol=symbol, name=symbol, market="KOSPI", sector="", close=None)


def shared(lane: TradingLane):
    accounts, opened, parts = trading_parts(lane)
    return accounts, opened, replace(parts, look_up=instrument)


def main() -> int:
    url, home = sys.argv[1], Path(sys.argv[2])
    begun, shown = (datetime.fromisoformat(text) for text in sys.argv[3:5])
    settings = load_settings({**os.environ, "STOCKLAB_HOME": str(home)})
    configure_logging(settings)
    return run_scheduler(
        settings,
        open_database(url),
        worker=f"process {os.getpid()}",
        jobs=(),
        intents={},
        trading=shared,
        clock=lambda: shown + (datetime.now(UTC) - begun),
        pulse=Pulse(poll=0.1, standby=0.1, beat=1.0, lock=0.2, grace=5.0, settle=0.0),
    )


if __name__ == "__main__":
    sys.exit(main())
