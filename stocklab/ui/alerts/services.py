"""The services of alerts over the app database of this process."""

from __future__ import annotations

from stocklab.alerts import Channels, DailyNotes, Feed, Rules, SignsOfLife
from stocklab.db.columns import utc_now
from stocklab.operations import Uptime, open_sealer
from stocklab.ui import cached

__all__ = ["channels", "feed", "notes", "rules", "scheduler_works", "signs"]


def feed() -> Feed:
    """What was told."""
    return Feed(cached.lab().database)


def rules() -> Rules:
    """What is to be told."""
    return Rules(cached.lab().database)


def channels() -> Channels:
    """Where it is sent."""
    lab = cached.lab()
    return Channels(lab.database, open_sealer(lab.settings), lab.limits)


def signs() -> SignsOfLife:
    """Signs of life to the outside."""
    lab = cached.lab()
    return SignsOfLife(lab.database, open_sealer(lab.settings))


def notes() -> DailyNotes:
    """Daily notes."""
    return DailyNotes(cached.lab().database)


def scheduler_works() -> bool:
    """Whether a process is alive that sends alerts."""
    workers = Uptime(cached.lab().database).workers("scheduler")
    return any(worker.state == "working" and worker.alive(utc_now()) for worker in workers)
