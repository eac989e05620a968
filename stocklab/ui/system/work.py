"""What runs and will run: the scheduler's jobs, and jobs that people started."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import streamlit as st

from stocklab.db import JobState
from stocklab.operations import LedgerRun, SchedulerStatus, SourceLine, sync_events
from stocklab.operations.status import JobStatus
from stocklab.operations.sync_state import SYNC_INTENT
from stocklab.ui import blocks, cached, identity
from stocklab.ui import format as fmt
from stocklab.ui.reasons import reason_now
from stocklab.ui.system import words
from stocklab.ui.text import _

__all__ = ["people", "scheduled"]


def scheduled(status: SchedulerStatus, sources: Sequence[SourceLine]) -> None:
    """Each job of the scheduler with its newest run and its next."""
    st.subheader(_("Scheduled jobs"), anchor=False)
    if status.quiet_until is not None:
        until = fmt.moment(status.quiet_until)
        st.caption(_("The market is open: syncs, backups and collections start after {when}.").format(when=until))
    heads = (_("Job"), _("Last run"), _("Last success"), _("Next"), _("Reason"))
    blocks.table(heads, [_row(job, status.at, sources) for job in status.jobs], stacked=True)


def _row(job: JobStatus, now: datetime, sources: Sequence[SourceLine]) -> tuple[str, ...]:
    done = None if job.last_done is None else job.last_done.finished_at
    return (
        _(words.JOBS[job.name]) if job.name in words.JOBS else job.text,
        _("never") if job.last is None else f"{job.last.key} · {_state(job.last)}",
        words.ago(done, now),
        fmt.moment(job.next_due),
        "" if job.last is None else reason_now(job.last.message, job.last.finished_at, sources),
    )


def _state(run: LedgerRun) -> str:
    state = _(words.RUN_STATES.get(run.state, run.state))
    progress = run.progress or {}
    if run.state == "running" and isinstance(progress.get("done"), int | float):
        return f"{state} {fmt.percent(float(progress['done']), digits=0)}"
    if run.retry_at is not None:
        return f"{state}, {_('again at {when}').format(when=fmt.moment(run.retry_at))}"
    return state


def people() -> None:
    """Syncs, backtests, sweeps and checks that run or wait."""
    st.subheader(_("Jobs that people started"), anchor=False)
    lab = cached.lab()
    live = lab.jobs.list(identity.owner_id(), states=[JobState.RUNNING, JobState.PENDING])
    rows = [
        (
            _("Sync"),
            _("Waiting") if event.state == "waiting" else _("Running"),
            fmt.percent(float((event.progress or {}).get("done") or 0.0), digits=0),
            fmt.moment(event.at),
        )
        for event in sync_events(lab.database)
        if event.live and event.job == SYNC_INTENT
    ]
    rows += [
        (
            _(words.JOB_KINDS.get(job.order.kind, job.order.kind)),
            _("Waiting") if job.state is JobState.PENDING else _("Running"),
            fmt.percent(job.progress.done, digits=0),
            fmt.moment(job.created_at),
        )
        for job in live
    ]
    if not rows:
        st.caption(_("Nothing runs or waits."))
        return
    blocks.table((_("Kind"), _("State"), _("Done"), _("Started")), rows)
