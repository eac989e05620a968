"""What `/metrics` tells of the whole program: components, jobs, scheduled runs, stored results."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stocklab.errors import StockLabError
from stocklab.operations import Component, ComponentState, components, run_counts, scheduler_status
from stocklab.portfolios import Lab

__all__ = ["lab_metrics"]


def lab_metrics(lab: Lab, now: datetime) -> bytes:
    """The exposition of what the database and the store know; asks them when called.

    A database that does not answer leaves the components, and says so there.
    """
    registry = CollectorRegistry()
    registry.register(_Components(components(lab.database, lab.store, lab.settings, now), now))
    text = generate_latest(registry)
    try:
        figures = CollectorRegistry()
        figures.register(_Figures(lab, now))
        return text + generate_latest(figures)
    except StockLabError:
        return text


class _Components(Collector):
    def __init__(self, found: tuple[Component, ...], now: datetime) -> None:
        self._found = found
        self._now = now

    def collect(self) -> Iterator[Metric]:
        states = GaugeMetricFamily(
            "stocklab_component_state", "1 for the state a component is in", labels=("component", "kind", "state")
        )
        ages = GaugeMetricFamily(
            "stocklab_component_last_success_age_seconds", "Since it last did well", labels=("component",)
        )
        today = GaugeMetricFamily(
            "stocklab_component_uptime_today_seconds", "Seen alive since midnight in Seoul", labels=("component",)
        )
        for one in self._found:
            for state in ComponentState:
                states.add_metric((one.name, one.kind, state), float(state is one.state))
            age = one.age_seconds(self._now)
            if age is not None:
                ages.add_metric((one.name,), age)
            if one.uptime_today_seconds is not None:
                today.add_metric((one.name,), one.uptime_today_seconds)
        yield from (states, ages, today)


class _Figures(Collector):
    def __init__(self, lab: Lab, now: datetime) -> None:
        self._lab = lab
        self._now = now

    def collect(self) -> Iterator[Metric]:
        lab = self._lab
        jobs = GaugeMetricFamily("stocklab_jobs", "Jobs of people", labels=("kind", "state"))
        for (kind, state), count in lab.jobs.counts_by_kind().items():
            jobs.add_metric((kind, state), count)
        yield jobs
        yield GaugeMetricFamily("stocklab_runs", "Finished runs in lists", value=lab.runs.count())
        hits = lab.jobs.cached_count()
        yield GaugeMetricFamily("stocklab_result_cache_hits", "Jobs answered from stored results", value=hits)
        runs = GaugeMetricFamily("stocklab_scheduled_runs", "Runs of the scheduler", labels=("job", "state"))
        for (job, run_state), count in run_counts(lab.database).items():
            runs.add_metric((job, run_state), count)
        yield runs
        yield from self._schedule()

    def _schedule(self) -> Iterator[Metric]:
        done = GaugeMetricFamily(
            "stocklab_scheduled_run_last_success_age_seconds", "Since a job last ended well", labels=("job",)
        )
        due = GaugeMetricFamily("stocklab_scheduled_run_next_seconds", "Until a job is due next", labels=("job",))
        for job in scheduler_status(self._lab.database, self._now).jobs:
            if job.last_done is not None and job.last_done.finished_at is not None:
                done.add_metric((job.name,), (self._now - job.last_done.finished_at).total_seconds())
            if job.next_due is not None:
                due.add_metric((job.name,), (job.next_due - self._now).total_seconds())
        yield from (done, due)
