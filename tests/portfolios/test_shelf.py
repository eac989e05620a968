"""Strategies as possessions: pages, folders, tags, notes, history; files that may be hostile."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest

from stocklab.backtest import RunRequest
from stocklab.db import Database
from stocklab.errors import DocumentError, InputError
from stocklab.portfolios import Ideas, Runs, Shelf, Strategies, StrategyNotFound
from stocklab.strategy import Strategy, parse_document
from stocklab.strategy.differences import differences

Make = Callable[..., Strategy]
CARD = {"price_basis": "raw", "synthetic": False, "snapshot_id": "s"}


@pytest.mark.parametrize("sort", ["updated", "created", "name"])
def test_pages_join_to_the_whole_list(database: Database, strategy: Make, sort: str) -> None:
    strategies, shelf = Strategies(database), Shelf(database)
    for number in range(43):
        strategies.save("local", strategy(f"{'same~' if number % 2 else 'other'} {number % 5}"))
    strategies.save("other", strategy("foreign"))
    found, after = [], None
    while True:
        page = shelf.page("local", sort=sort, after=after)  # type: ignore[arg-type]
        found += page.items
        after = page.after
        if after is None:
            break
    whole = strategies.list("local", sort=sort)  # type: ignore[arg-type]
    assert len({one.id for one in found}) == len(found) == 43
    if sort == "name":
        assert [one.name for one in found] == [one.name for one in whole]
    else:
        assert [one.id for one in found] == [one.id for one in whole]


def test_folders_and_tags_are_found_and_are_only_ones_own(database: Database, strategy: Make) -> None:
    strategies, shelf = Strategies(database), Shelf(database)
    made = [strategies.save("local", strategy(name)) for name in ("A", "B", "C")]
    foreign = strategies.save("other", strategy("D"))
    strategies.organize("local", made[0].id, folder="실전", tags=["가치", "100%"])
    strategies.organize("local", made[1].id, folder="실전", tags=["가치주"])
    strategies.organize("other", foreign.id, folder="secret", tags=["x"])
    assert [(one.name, one.strategies) for one in shelf.folders("local")] == [(None, 1), ("실전", 2)]
    assert shelf.tags("local") == ("100%", "가치", "가치주")
    for how, names in (
        ({"folder": "실전"}, ["B", "A"]),
        ({"folder": ""}, ["C"]),
        ({"tag": "가치"}, ["A"]),
        ({"tag": "x"}, []),
        ({"search": "실", "tag": "100%"}, ["A"]),
    ):
        assert sorted(one.name for one in shelf.page("local", **how).items) == sorted(names)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="at most 20 tags"):
        strategies.organize("local", made[0].id, folder=None, tags=[str(number) for number in range(21)])


def test_notes_are_kept_and_never_exported(database: Database, strategy: Make) -> None:
    saved = Strategies(database).save("local", strategy("A"))
    shelf = Shelf(database)
    shelf.note("local", saved.id, "<b>why</b>")
    assert shelf.notes("local", saved.id) == "<b>why</b>"
    assert "why" not in shelf.export("local", saved.id)
    assert Strategies(database).get("local", saved.id).version == 1
    with pytest.raises(InputError, match="at most 10,000"):
        shelf.note("local", saved.id, "x" * 10_001)
    for act in (shelf.notes, shelf.export, shelf.history, shelf.trials):
        with pytest.raises(StrategyNotFound):
            act("other", saved.id)
    with pytest.raises(StrategyNotFound):
        shelf.note("other", saved.id, "mine")


def test_each_version_has_the_runs_of_its_rules(database: Database, strategy: Make) -> None:
    strategies, runs, shelf = Strategies(database), Runs(database), Shelf(database)
    first, second = strategy("A", "close > 1"), strategy("A", "close > 2")
    saved = strategies.save("local", first)
    strategies.save("local", second, strategy_id=saved.id)
    strategies.restore("local", saved.id, 1)
    for number, (owner, document) in enumerate(
        (("local", first), ("local", second), ("local", first), ("other", second))
    ):
        request = RunRequest(
            strategy=document, start=date(2024, 1, 2), end=date(2024, 2, number + 1), initial_cash_krw=10**8
        )
        runs.record(owner, f"{number}" * 32, request, card=CARD, metrics={})
        Ideas(database).add(owner, [document])
    found = shelf.history("local", saved.id)
    assert [(one.version.version, [run.run_id[0] for run in one.runs]) for one in found] == [
        (3, ["2", "0"]),
        (2, ["1"]),
        (1, ["2", "0"]),
    ]
    assert shelf.trials("local", saved.id) == 2


def test_a_file_gives_a_new_strategy_and_nothing_but_its_document(database: Database, strategy: Make) -> None:
    saved = Strategies(database).save("local", strategy("A"))
    shelf = Shelf(database)
    text = shelf.export("local", saved.id)
    taken = shelf.take_in("other", text.encode())
    assert (taken.owner_id, taken.strategy(), taken.origin_id) == ("other", strategy("A"), None)
    assert taken.id != saved.id
    for key, value in (("id", saved.id), ("owner_id", "local"), ("origin_id", "x"), ("version", 7)):
        with pytest.raises(DocumentError):
            shelf.take_in("other", json.dumps({**json.loads(text), key: value}).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"a":' * 30_000,
        b'{"name": "' + b"x" * 300_000 + b'"}',
        b'{"name": ' + b"9" * 100_000 + b"}",
        b"\xff\xfe\x00",
        b"PK\x03\x04not json",
        b"",
        b"null",
        b'{"name": "x", "name": "y"}',
        b'{"name": "x", "costs": {"slippage_rate": NaN}}',
        json.dumps({"name": "x", "entry": {"rules": [{"id": "A", "formula": "("}] * 5000}}).encode(),
    ],
)
def test_bombs_and_nonsense_are_refused_at_once(database: Database, content: bytes) -> None:
    with pytest.raises(InputError):
        Shelf(database).take_in("local", content)
    assert Strategies(database).list("local") == []


def test_what_changed_is_told_by_field_in_both_languages() -> None:
    rules = [{"id": "A", "formula": "per<10"}, {"id": "B", "formula": "roe>5"}]
    before = parse_document({"name": "x", "entry": {"rules": rules}, "ranking": {"factors": [{"formula": "roe"}]}})
    after = parse_document(
        {
            "name": "x",
            "entry": {"rules": [{"id": "C", "formula": "pbr<1"}, rules[0], {"id": "B", "formula": "roe>7"}]},
            "ranking": {"factors": [{"formula": "roe", "weight": 2.0}]},
            "exit": {"stop": {"level": 0.1}, "when_entry_fails": True},
            "universe": {"markets": ["KOSDAQ"]},
        }
    )
    assert differences(before, before) == ()
    english = {name: (old, new) for name, old, new in (one.words("en") for one in differences(before, after))}
    assert english["Buy › Conditions › B › Formula"] == ("roe>5", "roe>7")
    assert english["Buy › Conditions › C"][0] == "—"
    assert "pbr<1" in english["Buy › Conditions › C"][1]
    assert english["Ranking › Factors › roe › Weight"] == ("1.0", "2.0")
    assert english["Sell › Sold when the entry fails"] == ("no", "yes")
    assert english["Universe › Markets"] == ("KOSPI, KOSDAQ", "KOSDAQ")
    assert not any("Conditions › A" in name for name in english)
    korean = [one.words("ko")[0] for one in differences(before, after)]
    assert "매수 › 조건 › B › 수식" in korean
    assert "매도 › 손절" in korean
