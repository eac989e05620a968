"""What a process remembers: bounded caches with a lifetime each, counted by name, dropped when the market data change.

A lifetime is how long a value stays after it was last asked for. The lifetimes are settings, one for each `Group`.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import update_wrapper
from threading import Lock
from typing import Any, Final, Generic, ParamSpec, TypeVar

from stocklab.settings import Settings

__all__ = [
    "Cache",
    "CacheFigures",
    "Group",
    "Remembered",
    "Tally",
    "cache_figures",
    "drop_unused",
    "remember",
    "see_snapshot",
    "set_lifetimes",
    "tally",
]

V = TypeVar("V")
P = ParamSpec("P")


class Group(StrEnum):
    """Caches that share a lifetime: what is known of the market, opened results, drawn figures, and screens."""

    MARKET = "market"
    RESULT = "result"
    FIGURE = "figure"
    SCREEN = "screen"


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheFigures:
    """One cache as the system page and /metrics show it. ``group`` and what follows are None for one kept elsewhere."""

    name: str
    hits: int
    misses: int
    group: Group | None = None
    entries: int | None = None
    most: int | None = None
    lifetime_seconds: float | None = None


class Tally:
    """Hits and misses of something that keeps values in its own way, such as files on disk."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.hits = 0
        self.misses = 0
        self._lock = Lock()

    def count(self, *, hits: int = 0, misses: int = 0) -> None:
        """Add to the counts."""
        with self._lock:
            self.hits += hits
            self.misses += misses

    def figures(self) -> CacheFigures:
        """Its counts."""
        return CacheFigures(name=self.name, hits=self.hits, misses=self.misses)


class _Missing:
    """Stands for a value that is not there; None may be one that is."""


_MISSING: Final = _Missing()
_lifetimes: dict[Group, float] = {
    group: float(Settings.model_fields[f"cache_{group}_seconds"].default) for group in Group
}
_known: dict[str, Tally] = {}
_seen: list[tuple[str, str | None]] = []
_seen_lock = Lock()


class Cache(Tally, Generic[V]):
    """Values by key, the least recently used of more than ``most`` dropped; safe to share between threads.

    One with ``of_market`` depends on the current market data although its keys need not say so: a change of the
    snapshot empties it, and a value whose making began before the change is not kept.
    """

    def __init__(self, name: str, group: Group, most: int, *, of_market: bool = False) -> None:
        super().__init__(name)
        self.group = group
        self.most = most
        self.of_market = of_market
        self.age = 0
        self._values: OrderedDict[Hashable, tuple[V, float]] = OrderedDict()
        _known[name] = self

    def __contains__(self, key: Hashable) -> bool:
        return not isinstance(self._look(key), _Missing)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> V | None:
        """The value, counted as a hit or a miss; None where there is none."""
        found = self._ask(key)
        return None if isinstance(found, _Missing) else found

    def peek(self, key: Hashable) -> V | None:
        """The value without counting."""
        found = self._look(key)
        return None if isinstance(found, _Missing) else found

    def put(self, key: Hashable, value: V, *, age: int | None = None) -> None:
        """Keep a value; not, where ``age`` is of before the cache was emptied."""
        with self._lock:
            if age is not None and age != self.age:
                return
            self._values[key] = value, time.monotonic()
            self._values.move_to_end(key)
            while len(self._values) > self.most:
                self._values.popitem(last=False)

    def obtain(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value, made and kept where there is none; an error is not kept."""
        found = self._ask(key)
        if not isinstance(found, _Missing):
            return found
        age = self.age
        made = make()
        self.put(key, made, age=age)
        return made

    def pop(self, key: Hashable) -> None:
        """Drop a value, if there is one."""
        with self._lock:
            self._values.pop(key, None)

    def clear(self) -> None:
        """Drop all values; the counts stay."""
        with self._lock:
            self._values.clear()
            self.age += 1

    def drop_unused(self) -> None:
        """Drop what was not asked for within the lifetime."""
        oldest = time.monotonic() - _lifetimes[self.group]
        with self._lock:
            for key in [key for key, (_value, used) in self._values.items() if used < oldest]:
                del self._values[key]

    def figures(self) -> CacheFigures:
        """Its counts and bounds."""
        return CacheFigures(
            name=self.name,
            hits=self.hits,
            misses=self.misses,
            group=self.group,
            entries=len(self._values),
            most=self.most,
            lifetime_seconds=_lifetimes[self.group],
        )

    def _ask(self, key: Hashable) -> V | _Missing:
        with self._lock:
            found = self._fresh(key)
            if isinstance(found, _Missing):
                self.misses += 1
            else:
                self.hits += 1
            return found

    def _look(self, key: Hashable) -> V | _Missing:
        with self._lock:
            return self._fresh(key)

    def _fresh(self, key: Hashable) -> V | _Missing:
        entry = self._values.get(key)
        if entry is None:
            return _MISSING
        now = time.monotonic()
        if now - entry[1] > _lifetimes[self.group]:
            del self._values[key]
            return _MISSING
        self._values[key] = entry[0], now
        self._values.move_to_end(key)
        return entry[0]


class Remembered(Generic[P, V]):
    """A function whose answers are kept in a `Cache`, by its arguments."""

    def __init__(self, function: Callable[P, V], cache: Cache[V]) -> None:
        self.cache = cache
        self._function = function
        update_wrapper(self, function)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> V:
        key = (*arguments, *sorted(named.items())) if named else arguments
        return self.cache.obtain(key, lambda: self._function(*arguments, **named))

    def cache_clear(self) -> None:
        """Drop all answers."""
        self.cache.clear()


def remember(
    name: str, group: Group, most: int, *, of_market: bool = False
) -> Callable[[Callable[P, V]], Remembered[P, V]]:
    """Keep the answers of a function; its arguments must be hashable. See `Cache`."""

    def wrap(function: Callable[P, V]) -> Remembered[P, V]:
        return Remembered(function, Cache[V](name, group, most, of_market=of_market))

    return wrap


def tally(name: str) -> Tally:
    """Hits and misses under this name, shown among the caches."""
    made = Tally(name)
    _known[name] = made
    return made


def set_lifetimes(settings: Settings) -> None:
    """Take the lifetimes from the settings."""
    values: Mapping[str, Any] = settings.model_dump(include={f"cache_{group}_seconds" for group in Group})
    for group in Group:
        _lifetimes[group] = float(values[f"cache_{group}_seconds"])


def see_snapshot(home: str, snapshot_id: str | None) -> bool:
    """Say which snapshot is the current one; another than the last time empties what depends on the market data."""
    now = (home, snapshot_id)
    if _seen and _seen[0] == now:
        return False
    with _seen_lock:
        changed = bool(_seen) and _seen[0] != now
        _seen[:] = [now]
        if changed:
            for cache in list(_known.values()):
                if isinstance(cache, Cache) and cache.of_market:
                    cache.clear()
    return changed


def drop_unused() -> None:
    """Drop from every cache what was not asked for within its lifetime."""
    for cache in list(_known.values()):
        if isinstance(cache, Cache):
            cache.drop_unused()


def cache_figures() -> tuple[CacheFigures, ...]:
    """Every cache of this process, by name."""
    return tuple(_known[name].figures() for name in sorted(_known))
