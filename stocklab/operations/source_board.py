"""Every source with its keys (set or not, and by whom), its budget and how it fares. No key's value is ever here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import SecretStr

from stocklab.data.sources.known import KNOWN_SOURCES, KnownSource
from stocklab.db import Database
from stocklab.operations.source_calls import SourceHealth, source_health, still_failing
from stocklab.settings import Settings

__all__ = ["KeyState", "SourceLine", "source_board"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """One key: "environment" (set there, not to be changed here), "stored" (encrypted, ``since`` then) or "missing"."""

    name: str
    held: Literal["environment", "stored", "missing"]
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceLine:
    """A source as the Data page shows it; moments are None until they happen."""

    source: KnownSource
    keys: tuple[KeyState, ...]
    switched_on: bool
    calls_today: int
    blocked_until: datetime | None
    blocked_reason: str
    last_ok_at: datetime | None
    last_error_at: datetime | None
    last_error: str

    @property
    def on(self) -> bool:
        """Whether it is switched on and every key it needs is set."""
        return self.switched_on and all(key.held != "missing" for key in self.keys)

    @property
    def market(self) -> bool:
        """Whether a sync asks it: it is on, and gives more than news."""
        return self.on and bool(self.source.datasets)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the settings that are not set."""
        return tuple(key.name for key in self.keys if key.held == "missing")

    @property
    def keys_since(self) -> datetime | None:
        """When a key that is kept here was last entered."""
        return max((key.since for key in self.keys if key.since is not None), default=None)

    @property
    def failing(self) -> bool:
        """Whether its last question ended in an error, and was asked with the keys that are set now."""
        return still_failing(self.last_ok_at, self.last_error_at, self.keys_since)

    @property
    def left_today(self) -> int | None:
        """Requests left of the day's budget; None without a limit."""
        return None if self.source.budget is None else max(0, self.source.budget - self.calls_today)


def source_board(
    settings: Settings, stored: Mapping[str, datetime], database: Database, now: datetime
) -> tuple[SourceLine, ...]:
    """Every source, in the order of trust.

    Parameters
    ----------
    settings : Settings
        As the environment gives them, without stored keys.
    stored : key name -> since when
        See `SourceKeys.names`.
    """
    health = {one.source: one for one in source_health(database, now)}
    return tuple(_line(source, settings, stored, health.get(source.name)) for source in KNOWN_SOURCES)


def _line(
    source: KnownSource, settings: Settings, stored: Mapping[str, datetime], health: SourceHealth | None
) -> SourceLine:
    return SourceLine(
        source=source,
        keys=tuple(_key(name, settings, stored) for name in source.keys),
        switched_on=not source.switch or bool(getattr(settings, source.switch)),
        calls_today=0 if health is None else health.calls_today,
        blocked_until=None if health is None else health.blocked_until,
        blocked_reason="" if health is None else health.blocked_reason,
        last_ok_at=None if health is None else health.last_ok_at,
        last_error_at=None if health is None else health.last_error_at,
        last_error="" if health is None else health.last_error,
    )


def _key(name: str, settings: Settings, stored: Mapping[str, datetime]) -> KeyState:
    """What the environment sets wins, as in `with_source_keys`."""
    given = getattr(settings, name)
    if isinstance(given, SecretStr) and given.get_secret_value().strip():
        return KeyState(name=name, held="environment")
    if name in stored and given is None:
        return KeyState(name=name, held="stored", since=stored[name])
    return KeyState(name=name, held="missing")
