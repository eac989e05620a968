"""What `/metrics` tells: requests, open connections, jobs, runs, cache hits and memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from stocklab.db import JobState
from stocklab.portfolios import Lab

__all__ = ["RequestMetrics", "lab_metrics", "path_group"]

_GROUPS: Final = (
    ("/_stcore/stream", "socket"),
    ("/_stcore", "streamlit"),
    ("/static", "static"),
    ("/media", "media"),
    ("/component", "streamlit"),
    ("/api", "api"),
    ("/auth", "auth"),
    ("/ws", "live"),
    ("/healthz", "health"),
    ("/readyz", "health"),
    ("/metrics", "metrics"),
)
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


def path_group(path: str) -> str:
    """The kind of thing a path names; a closed set, so that a visitor cannot grow the metrics.

    >>> path_group("/_stcore/stream"), path_group("/static/js/index.js"), path_group("/results")
    ('socket', 'static', 'page')
    """
    if "/_stcore/" in path[1:]:
        return "streamlit"  # the front end asks beside a deep link first, and takes the 404 for an answer
    for prefix, group in _GROUPS:
        if path == prefix or path.startswith(f"{prefix}/"):
            return group
    return "page" if "." not in path.rsplit("/", 1)[-1] else "file"


class RequestMetrics:
    """Counters of this process's web side."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "stocklab_requests", "HTTP requests", ("group", "method", "status"), registry=self.registry
        )
        self._latency = Histogram(
            "stocklab_request_seconds", "Time to answer", ("group",), registry=self.registry, buckets=_BUCKETS
        )
        self._connections = Gauge(
            "stocklab_connections", "Open WebSocket connections", ("group",), registry=self.registry
        )
        self._sessions = Gauge("stocklab_sessions", "Browser sessions connected", registry=self.registry)

    def observe(self, group: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        known = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
        self._requests.labels(group, known, str(status)).inc()
        self._latency.labels(group).observe(seconds)

    @contextmanager
    def connection(self, group: str) -> Iterator[None]:
        """Count a WebSocket connection while it is open; Streamlit's own is a browser session."""
        gauges = [self._connections.labels(group)] + ([self._sessions] if group == "socket" else [])
        for gauge in gauges:
            gauge.inc()
        try:
            yield
        finally:
            for gauge in gauges:
                gauge.dec()

    def text(self) -> bytes:
        """The exposition of the web side."""
        return generate_latest(self.registry)


def lab_metrics(lab: Lab) -> bytes:
    """The exposition of what the database knows; asks it when called."""
    registry = CollectorRegistry()
    registry.register(_LabCollector(lab))
    return generate_latest(registry)


class _LabCollector(Collector):
    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def collect(self) -> Iterator[Metric]:
        jobs = GaugeMetricFamily("stocklab_jobs", "Jobs by state", labels=("state",))
        for state, count in self._lab.jobs.counts().items():
            jobs.add_metric((JobState(state).value,), count)
        yield jobs
        yield GaugeMetricFamily("stocklab_runs", "Finished runs in lists", value=self._lab.runs.count())
        hits = self._lab.jobs.cached_count()
        yield GaugeMetricFamily("stocklab_result_cache_hits", "Jobs answered from stored results", value=hits)
