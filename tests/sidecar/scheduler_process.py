"""A scheduler process for tests: jobs that note what they do in a file, on a clock that the test sets.

``python scheduler_process.py URL HOME``: the clock is the text of HOME/now; notes go to HOME/notes, a line each.
"""

from __future__ import annotations

import os
import random
import sys
import time
from datetime import datetime, timedelta
from datetime import time as day_time
from pathlib import Path

from stocklab.data.sources.calls import KST
from stocklab.db import open_database
from stocklab.errors import Cancelled
from stocklab.logs import configure_logging
from stocklab.operations import CatchUp, Every, IntentKind, Schedule
from stocklab.settings import Settings
from stocklab.sidecar.scheduler import Pulse, run_scheduler
from stocklab.sidecar.work import Job, JobContext

KINDS = {"note": IntentKind(name="note"), "long": IntentKind(name="long", resource="store")}
TABLE = (
    Schedule(name="sync", text="", every=Every.SESSION, at=day_time(18, 10), quiet=True, resource="store"),
    Schedule(name="warm", text="", every=Every.SESSION, at=day_time(18, 20), after=("sync",)),
    Schedule(name="late", text="", every=Every.SESSION, at=day_time(18, 20), catch_up=CatchUp.EACH),
    Schedule(name="backup", text="", every=Every.DAY, at=day_time(2, 30), quiet=True, resource="store"),
)


def note(home: Path, *words: str) -> None:
    """Append a line that survives a kill right after it."""
    descriptor = os.open(home / "notes", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, (" ".join(words) + "\n").encode())
    os.fsync(descriptor)
    os.close(descriptor)


def clock(home: Path) -> datetime:
    return datetime.fromisoformat((home / "now").read_text()).replace(tzinfo=KST)


def work(name: str):
    def run(context: JobContext) -> str:
        home = Path(context.settings.home)
        note(home, "start", name, context.key, str(os.getpid()))
        seconds = 60.0 if name == "long" else random.uniform(0.0, 0.15)
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if context.stop():
                note(home, "stopped", name, context.key, str(os.getpid()))
                raise Cancelled("told to")
            context.tell(0.5, "half way")
            time.sleep(0.01)
        note(home, "end", name, context.key, str(os.getpid()))
        return "done"

    return run


def main() -> int:
    url, home = sys.argv[1], Path(sys.argv[2])
    settings = Settings(home=home, log_format="json")
    configure_logging(settings)
    return run_scheduler(
        settings,
        open_database(url),
        worker=f"process {os.getpid()}",
        jobs=[Job(schedule=schedule, work=work(schedule.name)) for schedule in TABLE],
        intents={name: work(name) for name in KINDS},
        kinds=KINDS,
        clock=lambda: clock(home),
        pulse=Pulse(poll=0.05, standby=0.1, beat=timedelta(seconds=1).total_seconds(), lock=0.2, grace=5.0, settle=0.0),
    )


if __name__ == "__main__":
    sys.exit(main())
