from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from stocklab.db import Database
from stocklab.errors import DocumentError, InputError
from stocklab.portfolios import Strategies, StrategyConflict, StrategyNotFound
from stocklab.strategy.document import Strategy

Make = Callable[..., Strategy]


def test_a_saved_strategy_comes_back_as_it_was(database: Database, strategy: Make) -> None:
    strategies = Strategies(database)
    saved = strategies.save("local", strategy("저변동성", "sma(close, 20) > close"))
    found = strategies.get("local", saved.id)
    assert found == saved
    assert found.strategy() == strategy("저변동성", "sma(close, 20) > close")
    assert (found.version, found.origin_id) == (1, None)
    assert found.created_at.tzinfo is not None


def test_each_change_is_a_version_and_an_unchanged_document_is_none(database: Database, strategy: Make) -> None:
    strategies = Strategies(database)
    saved = strategies.save("local", strategy("A", "close > 1"))
    changed = strategies.save("local", strategy("A", "close > 2"), strategy_id=saved.id, expected_version=1)
    again = strategies.save("local", strategy("A", "close > 2"), strategy_id=saved.id)
    assert (changed.version, again.version) == (2, 2)
    assert changed.fingerprint != saved.fingerprint
    assert changed.updated_at > saved.updated_at
    versions = strategies.versions("local", saved.id)
    assert [version.version for version in versions] == [2, 1]
    assert versions[1].document == saved.document
    restored = strategies.restore("local", saved.id, 1)
    assert (restored.version, restored.document) == (3, saved.document)


def test_a_save_over_a_newer_version_is_refused(database: Database, strategy: Make) -> None:
    strategies = Strategies(database)
    saved = strategies.save("local", strategy("A", "close > 1"))
    strategies.save("local", strategy("A", "close > 2"), strategy_id=saved.id, expected_version=1)
    with pytest.raises(StrategyConflict, match="opened version 1, it is now at 2"):
        strategies.save("local", strategy("A", "close > 3"), strategy_id=saved.id, expected_version=1)
    assert strategies.get("local", saved.id).strategy().entry.rules[0].formula == "close > 2"


def test_of_two_saves_at_once_exactly_one_wins(database: Database, strategy: Make) -> None:
    strategies = Strategies(database)
    saved = strategies.save("local", strategy("A", "close > 1"))
    outcomes: list[str] = []
    begin = threading.Barrier(4)

    def save(number: int) -> None:
        begin.wait()
        try:
            strategies.save("local", strategy("A", f"close > {number}"), strategy_id=saved.id, expected_version=1)
            outcomes.append("saved")
        except StrategyConflict:
            outcomes.append("refused")

    threads = [threading.Thread(target=save, args=(number,)) for number in (2, 3, 4, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["refused", "refused", "refused", "saved"]
    assert len(strategies.versions("local", saved.id)) == 2


def test_the_list_is_searched_sorted_and_cut(database: Database, strategy: Make) -> None:
    strategies = Strategies(database)
    for name in ("beta 100%", "모멘텀 12-1", "Alpha"):
        saved = strategies.save("local", strategy(name))
    strategies.organize("local", saved.id, folder="실전", tags=["b", "a", "a", " "])
    names = [found.name for found in strategies.list("local", sort="name")]
    assert names == ["Alpha", "beta 100%", "모멘텀 12-1"]
    assert [found.name for found in strategies.list("local", sort="created")] == ["Alpha", "모멘텀 12-1", "beta 100%"]
    assert [found.name for found in strategies.list("local", search="ALPHA")] == ["Alpha"]
    assert [found.name for found in strategies.list("local", search="멘텀")] == ["모멘텀 12-1"]
    assert [found.name for found in strategies.list("local", search="0%")] == ["beta 100%"]
    assert [found.name for found in strategies.list("local", search="%")] == ["beta 100%"]  # not a wildcard
    assert [found.name for found in strategies.list("local", search="실전")] == ["Alpha"]
    assert [found.tags for found in strategies.list("local", folder="실전")] == [("a", "b")]
    assert [found.name for found in strategies.list("local", sort="name", limit=2)] == ["Alpha", "beta 100%"]


def test_rename_reaches_the_document_and_is_a_version(database: Database, strategy: Make) -> None:
    strategies = Strategies(database)
    saved = strategies.save("local", strategy("Old"))
    renamed = strategies.rename("local", saved.id, "  New  ")
    assert (renamed.name, renamed.strategy().name, renamed.version) == ("New", "New", 2)
    with pytest.raises(DocumentError, match="name"):
        strategies.rename("local", saved.id, " ")


def test_copies_take_the_next_free_name(database: Database, strategy: Make) -> None:
    strategies = Strategies(database)
    saved = strategies.save("local", strategy("A" * 120))
    first, second = strategies.duplicate("local", saved.id), strategies.duplicate("local", saved.id)
    assert (first.name, second.name) == ("A" * 116 + " (2)", "A" * 116 + " (3)")
    assert first.strategy().entry == saved.strategy().entry
    assert strategies.duplicate("local", saved.id, "Mine").name == "Mine"
    assert [version.version for version in strategies.versions("local", first.id)] == [1]


def test_a_deleted_strategy_is_gone_with_its_versions(database: Database, strategy: Make) -> None:
    strategies = Strategies(database)
    saved = strategies.save("local", strategy())
    strategies.delete("local", saved.id)
    assert strategies.list("local") == []
    for call in (strategies.get, strategies.delete, strategies.versions, strategies.duplicate):
        with pytest.raises(StrategyNotFound, match=saved.id):
            call("local", saved.id)


def test_another_owner_sees_and_changes_nothing(database: Database, strategy: Make) -> None:
    strategies = Strategies(database)
    saved = strategies.save("local", strategy())
    assert strategies.list("other") == []
    calls: list[Callable[[], object]] = [
        lambda: strategies.get("other", saved.id),
        lambda: strategies.save("other", strategy("X"), strategy_id=saved.id),
        lambda: strategies.rename("other", saved.id, "X"),
        lambda: strategies.organize("other", saved.id, folder="X"),
        lambda: strategies.duplicate("other", saved.id),
        lambda: strategies.restore("other", saved.id, 1),
        lambda: strategies.delete("other", saved.id),
    ]
    for call in calls:
        with pytest.raises(StrategyNotFound):
            call()
    assert strategies.get("local", saved.id) == saved


def test_a_version_that_never_was_and_a_name_too_long_are_refused(database: Database, strategy: Make) -> None:
    strategies = Strategies(database)
    saved = strategies.save("local", strategy())
    with pytest.raises(StrategyNotFound, match="no version 9"):
        strategies.restore("local", saved.id, 9)
    with pytest.raises(InputError, match="at most 120"):
        strategies.organize("local", saved.id, folder="f" * 121)
