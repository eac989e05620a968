"""Answers about a result, as its page asks for them: the look-ahead check, survivors, running it again.

The look-ahead check is a job that the first look at a result starts. The other two are computed when asked for and
remembered while the program runs; both runs of the survivors are stored as results like any other.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Final

from stocklab.backtest.result import Result
from stocklab.caches import Cache, Group
from stocklab.data.factor_cache import CachedSource
from stocklab.db import JobState
from stocklab.errors import JobError
from stocklab.portfolios import HeldKind, JobView, ProofOrder
from stocklab.research.look_ahead import SESSIONS, LookAhead
from stocklab.research.rerun import Rerun, rerun
from stocklab.research.stored_run import made_by_this
from stocklab.research.surviving import run_survivorship
from stocklab.research.survivorship import Survivorship
from stocklab.ui import cached, identity

__all__ = [
    "Look",
    "Standing",
    "check_look_ahead",
    "forget",
    "known_look_ahead",
    "known_rerun",
    "known_survivors",
    "look_ahead",
    "run_again",
    "survivors",
]

_KEPT: Final = 256
_Key = tuple[str, str]


class Standing(StrEnum):
    """Where the look-ahead check of a result is."""

    IDENTICAL = "identical"
    DIFFERENT = "different"
    IMPOSSIBLE = "impossible"  # a run of a single session
    RUNNING = "running"
    WAITING = "waiting"
    STALE = "stale"  # data or program are others than the run's
    FAILED = "failed"
    STOPPED = "stopped"
    REFUSED = "refused"  # too many jobs wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The check as it stands. ``done`` is a fraction while it runs; ``job`` the job, where there is one."""

    standing: Standing
    found: LookAhead | None = None
    done: float = 0.0
    job: JobView | None = None
    error: str = ""

    @property
    def live(self) -> bool:
        """Whether it may still change: a page polls while this is true."""
        return self.standing in (Standing.RUNNING, Standing.WAITING)


_found: Cache[LookAhead] = Cache("look_ahead", Group.RESULT, _KEPT)
_jobs: OrderedDict[tuple[str, str, str], str] = OrderedDict()
_survivors: Cache[Survivorship] = Cache("survivors", Group.RESULT, _KEPT, of_market=True)
_reruns: Cache[Rerun] = Cache("reruns", Group.RESULT, _KEPT, of_market=True)
_one_at_a_time = Lock()
_starting = Lock()


def forget() -> None:
    """Drop what is remembered."""
    _jobs.clear()
    for kept in (_found, _survivors, _reruns):
        kept.clear()


def _key(run_id: str) -> _Key:
    return str(cached.lab().store.home), run_id


def look_ahead(result: Result) -> Look:
    """The check of a result; where nobody has asked yet, this asks."""
    key, mine = _key(result.run_id), _job_key(result.run_id)
    job = _job(mine)
    if job is not None and job.live:
        return _standing_of_job(job)
    if job is not None and job.state is JobState.COMPLETED:
        _jobs.pop(mine, None)
        _found.pop(key)  # it may have found more than is remembered
    found = _stored(key)
    if found is not None:
        return Look(standing=_standing_of(found), found=found)
    return check_look_ahead(result) if job is None else _standing_of_job(job)


def known_look_ahead(run_id: str) -> LookAhead | None:
    """What the check of a run found, None where it is not known; starts nothing."""
    return _stored(_key(run_id))


def check_look_ahead(result: Result, sessions: int = SESSIONS) -> Look:
    """Start the check of a result, at so many sessions."""
    lab = cached.lab()
    key = _job_key(result.run_id)
    if not made_by_this(result.card, lab.store.current_id()):
        return Look(standing=Standing.STALE)
    with _starting:
        job = _job(key)
        if job is not None and job.live:
            return _standing_of_job(job)
        try:
            order = ProofOrder(run_id=result.run_id, sessions=sessions)
            _jobs[key] = lab.jobs.submit(identity.owner_id(), order)
            while len(_jobs) > _KEPT:
                _jobs.popitem(last=False)
        except JobError as error:
            return Look(standing=Standing.REFUSED, error=str(error))
    job = _job(key)
    return Look(standing=Standing.WAITING) if job is None else _standing_of_job(job)


def _stored(key: _Key) -> LookAhead | None:
    known = _found.get(key)
    if known is None:
        known = cached.lab().proofs.load(key[1])
        if known is not None:
            _found.put(key, known)
    return known


def _job_key(run_id: str) -> tuple[str, str, str]:
    """Jobs are their owners': another's could not be watched."""
    return str(cached.lab().store.home), identity.owner_id(), run_id


def _job(key: tuple[str, str, str]) -> JobView | None:
    job_id = _jobs.get(key)
    if job_id is None:
        return None
    lab = cached.lab()
    try:
        return lab.jobs.get(identity.owner_id(), job_id)
    except JobError:
        _jobs.pop(key, None)
        return None


def _standing_of(found: LookAhead) -> Standing:
    if found.identical is None:
        return Standing.IMPOSSIBLE
    return Standing.IDENTICAL if found.identical else Standing.DIFFERENT


def _standing_of_job(job: JobView) -> Look:
    match job.state:
        case JobState.PENDING:
            return Look(standing=Standing.WAITING, job=job)
        case JobState.FAILED:
            return Look(standing=Standing.FAILED, job=job, error=job.error_message or "")
        case JobState.RUNNING:
            return Look(standing=Standing.RUNNING, done=job.progress.done, job=job)
        case _:
            return Look(standing=Standing.STOPPED, job=job)


def known_survivors(run_id: str) -> Survivorship | None:
    """What `survivors` found before, None if it was not asked."""
    found = _survivors.peek(_key(run_id))
    _hold(None if found is None else found.survivors_id)
    return found


def survivors(result: Result) -> Survivorship:
    """The run with and without the names that are gone; one page at a time computes.

    Raises
    ------
    InputError, DataError
        The market data or the program changed since the run, or the data cannot be read.
    """
    key = _key(result.run_id)
    lab = cached.lab()

    def compute() -> Survivorship:
        request, panel = lab.run_today(result.run_id, result.card)
        threads, budget = lab.settings.engine_threads, lab.settings.factor_cache_mb
        source = CachedSource(panel, lab.store.home, threads=threads, budget_mb=budget)
        return run_survivorship(lab.store, lab.results, panel, request, source, threads=threads, factor_cache_mb=budget)

    with _one_at_a_time:
        found = _survivors.obtain(key, compute)
    _hold(found.survivors_id)
    return found


def known_rerun(run_id: str) -> Rerun | None:
    """What `run_again` found on the data of today, None if it was not asked."""
    found = _reruns.peek((*_key(run_id), cached.lab().store.current_id()))
    _hold(None if found is None else found.now_id)
    return found


def run_again(result: Result) -> Rerun:
    """The run again on the data, rules and code of today; always computed.

    Raises
    ------
    DataError
        The stored result is damaged.
    """
    lab = cached.lab()
    with _one_at_a_time:
        found = rerun(
            lab.store,
            lab.results,
            result.run_id,
            threads=lab.settings.engine_threads,
            panel_of=lambda basis, request: lab.panel(basis, request.start, request.end, request.strategy.statements),
        )
    key = (*_key(result.run_id), lab.store.current_id())
    _reruns.put(key, found)
    _hold(found.now_id)
    return found


def _hold(made_id: str | None) -> None:
    """Whoever sees an answer may open the run that was made for it: the page links to it."""
    access, owner_id = cached.lab().access, identity.owner_id()
    if made_id is not None and not access.may_open(owner_id, made_id):
        access.hold(owner_id, made_id, HeldKind.RUN)
