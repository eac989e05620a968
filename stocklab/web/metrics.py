"""What `/metrics` tells of this process: requests, sockets, errors, caches and memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from stocklab.caches import cache_figures
from stocklab.counts import COUNTS, ProcessCounts

__all__ = ["RequestMetrics", "path_group"]

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
    ("/client-errors", "report"),
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
    """Counters of this process's web side, together with the process's other counts and its caches."""

    def __init__(self, counts: ProcessCounts = COUNTS) -> None:
        self.counts = counts
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(_Counts(counts))
        self._requests = Counter(
            "stocklab_requests", "HTTP requests", ("group", "method", "status"), registry=self.registry
        )
        self._latency = Histogram(
            "stocklab_request_seconds", "Time to answer", ("group",), registry=self.registry, buckets=_BUCKETS
        )

    def observe(self, group: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        known = method if method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS") else "other"
        self._requests.labels(group, known, str(status)).inc()
        self._latency.labels(group).observe(seconds)

    def connection(self, group: str) -> AbstractContextManager[None]:
        """Count a WebSocket connection while it is open; Streamlit's own is a browser session."""
        return self.counts.socket(group)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self.registry)


class _Counts(Collector):
    """Read when asked; nothing of it needs a database."""

    def __init__(self, counts: ProcessCounts) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        counts = self._counts
        sockets = GaugeMetricFamily("stocklab_connections", "Open WebSocket connections", labels=("group",))
        for group, number in sorted(counts.sockets().items()):
            sockets.add_metric((group,), number)
        yield sockets
        yield GaugeMetricFamily("stocklab_sessions", "Browser sessions connected", value=counts.sessions)
        yield CounterMetricFamily(
            "stocklab_newcomers_turned_away", "Newcomers who got the busy page", value=counts.newcomers_turned_away
        )
        pages = CounterMetricFamily("stocklab_page_errors", "Pages that ended in an error", labels=("kind",))
        for kind, number in sorted(counts.page_errors().items()):
            pages.add_metric((kind,), number)
        yield pages
        yield CounterMetricFamily(
            "stocklab_browser_errors", "Errors that browsers reported", value=counts.browser_errors
        )
        yield from _caches()


def _caches() -> Iterator[Metric]:
    hits = CounterMetricFamily("stocklab_cache_hits", "Values found in a cache", labels=("cache",))
    misses = CounterMetricFamily("stocklab_cache_misses", "Values that had to be made", labels=("cache",))
    entries = GaugeMetricFamily("stocklab_cache_entries", "Values kept in memory", labels=("cache",))
    for figures in cache_figures():
        hits.add_metric((figures.name,), figures.hits)
        misses.add_metric((figures.name,), figures.misses)
        if figures.entries is not None:
            entries.add_metric((figures.name,), figures.entries)
    yield from (hits, misses, entries)
