"""Every public method of a service that acts for somebody, and arguments that name somebody else's rows."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from stocklab.alerts import DayFacts, compose
from stocklab.brokers.values import PriceKind, Side
from stocklab.community import Category, Draft, Remark
from stocklab.data.results import ResultStore
from stocklab.db import Database
from stocklab.errors import Cancelled
from stocklab.live.tickets import ManualTicket
from stocklab.live.trader_settings import TraderSettings
from stocklab.live.traders import NewTrader
from stocklab.operations import RateLimits, Sealer
from stocklab.portfolios import BacktestOrder, JobTable
from stocklab.research.sweep_store import SweepStore
from stocklab.settings import Settings
from stocklab.sharing import Wish
from stocklab.strategy import PRESETS
from stocklab.strategy.matching import Answers, Approach, Company, Horizon, Income, Risk
from stocklab.trading import RiskLimits

PACKAGES = ("operations", "accounts", "portfolios", "sharing", "community", "ranking", "alerts", "live")
WHO = ("owner_id", "reader_id", "user_id", "admin_id")
STRATEGY = PRESETS["rsi_reversal"].strategy


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A method whose first argument says who acts."""

    name: str
    cls: type[Any]
    method: str

    @property
    def parameters(self) -> list[inspect.Parameter]:
        """All but ``self`` and who acts."""
        return list(inspect.signature(getattr(self.cls, self.method)).parameters.values())[2:]

    def call(self, made: Any, who: str, whose: str) -> object:
        """Call it as ``who``, for rows of ``whose``; what it gives is read to the end."""
        hints = typing.get_type_hints(getattr(self.cls, self.method))
        given = {}
        for parameter in self.parameters:
            known, value = _argument(parameter, hints.get(parameter.name), whose)
            if known:
                given[parameter.name] = value
            elif parameter.default is parameter.empty:
                raise AssertionError(f"{self.name}: no value for {parameter.name}. Hint: teach tests/isolation.")
        found = getattr(made, self.method)(who, **given)
        return list(found) if isinstance(found, Iterator) else found


def services() -> list[Service]:
    """All of them, in the packages there are."""
    found = []
    for package in PACKAGES:
        if find_spec(f"stocklab.{package}") is None:
            continue
        for module in pkgutil.walk_packages(importlib.import_module(f"stocklab.{package}").__path__):
            path = f"stocklab.{package}.{module.name}"
            for cls in vars(importlib.import_module(path)).values():
                if inspect.isclass(cls) and cls.__module__ == path and not cls.__name__.startswith("_"):
                    found += [
                        Service(name=f"{package}.{cls.__name__}.{name}", cls=cls, method=name)
                        for name, method in vars(cls).items()
                        if not name.startswith("_") and inspect.isfunction(method) and _who(method) in WHO
                    ]
    return found


def make(cls: type[Any], database: Database, home: Path) -> Any:
    """A service over a database; its parts are made the same way."""
    ready: dict[str, Any] = {
        "database": database,
        "sealer": Sealer(("x" * 32,)),
        "settings": Settings(home=home),
        "limits": RateLimits(database),
        "table": JobTable(database) if cls.__name__ == "Jobs" else None,
        "work": _no_work,
        "results": ResultStore(home),
        "store": SweepStore(home),
        "names": lambda symbol: symbol,
        "data_last": date(2026, 11, 20),
        "late": 0,
    }
    hints = typing.get_type_hints(cls.__init__)
    given = {}
    for parameter in list(inspect.signature(cls.__init__).parameters.values())[1:]:
        limits_of_its_own = parameter.name == "limits" and hints["limits"] is not RateLimits
        if ready.get(parameter.name) is not None and not limits_of_its_own:
            given[parameter.name] = ready[parameter.name]
        elif parameter.default is parameter.empty:
            given[parameter.name] = make(hints[parameter.name], database, home)
    return cls(**given)


def _no_work(*_: object) -> Any:
    raise Cancelled("Nothing runs here.")


def takes_a_session(service: Service) -> bool:
    """Whether it works within a transaction that is not its own."""
    return any(parameter.name == "session" for parameter in service.parameters)


def _who(method: Callable[..., Any]) -> str:
    names = list(inspect.signature(method).parameters)
    return names[1] if len(names) > 1 else ""


VALUES: dict[str, Any] = {
    "strategy": STRATEGY,
    "strategies": [STRATEGY],
    "universe": STRATEGY.universe,
    "order": BacktestOrder(
        document=STRATEGY.model_dump(mode="json"),
        start=date(2026, 1, 5),
        end=date(2026, 3, 31),
        initial_cash_krw=10_000_000,
    ),
    "answers": Answers(
        horizon=Horizon.LONG, approach=Approach.VALUE, risk=Risk.LOW, income=Income.GAIN, company=Company.ANY
    ),
    "suggested": (),
    "kind": "sync_now",
    "identity": "1" * 40,
    "document": {},
    "version": 1,
    "email": "new@example.org",
    "phone": "",
    "language": None,
    "text": "an answer",
    "name": "a new name",
    "nickname": "newname",
    "folder": "a folder",
    "exits": STRATEGY.exit,
    "look_up": lambda _symbol: None,
    "limits": RiskLimits(),
    "entered": {},
    "settings": TraderSettings(),
    "search": "",
    "scopes": (),
    "fields": {"bot_token": f"123456789:{'t' * 35}", "chat_id": "1"},
    "params": {},
    "day_note": compose(DayFacts(session=date(2026, 11, 23), is_session=True)),
    "content": json.dumps(STRATEGY.model_dump(mode="json")).encode(),
}
OF_SOMEBODY: dict[str, Callable[[str], Any]] = {
    "wish": lambda whose: Wish(strategy_id=whose),
    "draft": lambda whose: Draft(category=Category.FREE, title="a title", body="words", publication_id=whose),
    "ticket": lambda whose: ManualTicket(
        account_id=whose,
        symbol="005930",
        side=Side.BUY,
        kind=PriceKind.LIMIT,
        token="a-token-of-mine",
        quantity=Decimal(1),
        limit_price_krw=Decimal(70_000),
    ),
    "new": lambda whose: NewTrader(
        account_id=whose,
        name="a name",
        document=STRATEGY.model_dump(mode="json"),
        capital_krw=10_000_000,
        settings=TraderSettings(),
    ),
    "remark": lambda whose: Remark(body="words", post_id=whose),
}
OPTIONAL_IDS = ("strategy_id", "post_id", "parent_id")


def _argument(parameter: inspect.Parameter, hint: Any, whose: str) -> tuple[bool, Any]:
    needed = parameter.default is parameter.empty
    if parameter.name.endswith("_id") and (needed or parameter.name in OPTIONAL_IDS):
        return True, whose
    if not needed:
        return False, None
    if parameter.name in OF_SOMEBODY:
        return True, OF_SOMEBODY[parameter.name](whose)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return True, next(iter(hint))
    if parameter.name in VALUES:
        return True, VALUES[parameter.name]
    kinds = {
        str: "words",
        bool: True,
        int: 1,
        Decimal: Decimal(1),
        date: date(2026, 11, 20),
        datetime: datetime(2026, 11, 20, tzinfo=UTC),
    }
    for kind in (hint, *typing.get_args(hint)):
        if kind in kinds:
            return True, kinds[kind]
    return False, None
