"""How often a broker may be asked: token buckets under names that each adapter chooses (key and TR, account)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["Pacer", "Rate"]

_SHORTEST: Final = 2e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """``per_second`` requests on average, ``burst`` at once."""

    per_second: float
    burst: int


@dataclass(slots=True)
class _Bucket:
    rate: Rate
    tokens: float
    at: float
    not_before: float = 0.0


class Pacer:
    """Waits until a request is allowed. Safe from several threads; waiting holds no lock.

    ``rates`` names buckets; a name that is not in it takes the longest rate whose name it starts with.

    >>> now = [0.0]
    >>> pacer = Pacer({"kis:": Rate(per_second=1, burst=1)}, clock=lambda: now[0], sleep=lambda s: now.append(s))
    >>> pacer.take("kis:one"), pacer.delay("kis:one"), pacer.delay("kis:two")
    (0.0, 1.0, 0.0)
    """

    def __init__(
        self,
        rates: Mapping[str, Rate],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rates = dict(rates)
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def take(self, *names: str) -> float:
        """Wait until every bucket has a token and take them; the seconds waited."""
        waited = 0.0
        while True:
            with self._lock:
                now = self._clock()
                buckets = [self._filled(name, now) for name in names]
                wait = max(_delay(bucket, now) for bucket in buckets)
                if wait <= 0:
                    for bucket in buckets:
                        bucket.tokens -= 1
                    return waited
            self._sleep(wait)
            waited += wait

    def delay(self, name: str) -> float:
        """Seconds until the next request of a bucket may go; 0 now."""
        with self._lock:
            now = self._clock()
            return _delay(self._filled(name, now), now)

    def hold(self, name: str, seconds: float) -> None:
        """The broker said "too many": nothing of this bucket goes for a while, and it refills from empty."""
        with self._lock:
            now = self._clock()
            bucket = self._filled(name, now)
            bucket.not_before = max(bucket.not_before, now + seconds)
            bucket.tokens = min(bucket.tokens, 1.0)

    def _filled(self, name: str, now: float) -> _Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            rate = self._rates[max((key for key in self._rates if name.startswith(key)), key=len)]
            bucket = self._buckets[name] = _Bucket(rate, float(rate.burst), now)
        bucket.tokens = min(float(bucket.rate.burst), bucket.tokens + (now - bucket.at) * bucket.rate.per_second)
        bucket.at = now
        return bucket


def _delay(bucket: _Bucket, now: float) -> float:
    # What a clock of microseconds cannot show counts as over, else rounding makes waiting loop.
    wait = max((1.0 - bucket.tokens) / bucket.rate.per_second, bucket.not_before - now)
    return wait if wait > _SHORTEST else 0.0
