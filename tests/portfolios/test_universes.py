"""Saved universes on both databases."""

from __future__ import annotations

import pytest

from stocklab.db import LOCAL_OWNER_ID as LOCAL
from stocklab.db import Database, UniverseRow
from stocklab.errors import DocumentError, InputError
from stocklab.portfolios import UniverseNameTaken, UniverseNotFound, Universes
from stocklab.strategy.document import Exclusion, Universe

SMALL = Universe(symbols=("005930", "000660"), themes=("반도체",), exclude=(Exclusion.RISK,))


def test_a_universe_is_saved_listed_replaced_renamed_and_deleted(database: Database) -> None:
    universes = Universes(database)
    assert universes.list(LOCAL) == ()
    first = universes.save(LOCAL, "  Chips ", SMALL)
    assert first.name == "Chips"
    assert universes.get(LOCAL, first.id).universe() == SMALL
    with pytest.raises(UniverseNameTaken):
        universes.save(LOCAL, "Chips", Universe())
    assert universes.get(LOCAL, first.id).universe() == SMALL
    replaced = universes.save(LOCAL, "Chips", Universe(index="KOSPI200"), replace=True)
    assert (replaced.id, replaced.universe().index) == (first.id, "KOSPI200")
    other = universes.save(LOCAL, "all", Universe())
    assert [each.name for each in universes.list(LOCAL)] == ["all", "Chips"]
    with pytest.raises(UniverseNameTaken):
        universes.rename(LOCAL, other.id, "Chips")
    assert universes.rename(LOCAL, other.id, "Everything").name == "Everything"
    universes.delete(LOCAL, first.id)
    with pytest.raises(UniverseNotFound):
        universes.get(LOCAL, first.id)
    assert [each.name for each in universes.list(LOCAL)] == ["Everything"]


def test_owners_do_not_see_each_other(database: Database) -> None:
    universes = Universes(database)
    mine = universes.save(LOCAL, "Chips", SMALL)
    universes.save("other", "Chips", Universe())
    assert universes.list("other")[0].id != mine.id
    for act in (universes.get, universes.delete):
        with pytest.raises(UniverseNotFound):
            act("other", mine.id)
    with pytest.raises(UniverseNotFound):
        universes.rename("other", mine.id, "x")


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_names_have_a_length(database: Database, name: str) -> None:
    with pytest.raises(InputError, match="1 to 120"):
        Universes(database).save(LOCAL, name, SMALL)


def test_a_document_that_is_not_valid_any_more_says_so(database: Database) -> None:
    universes = Universes(database)
    saved = universes.save(LOCAL, "Chips", SMALL)
    with database.write() as session:
        session.get_one(UniverseRow, saved.id).document = {"markets": ["NYSE"]}
    with pytest.raises(DocumentError):
        universes.get(LOCAL, saved.id).universe()
