"""Every table says whose its rows are."""

from __future__ import annotations

from sqlalchemy import Table

from stocklab.db import Authored, Base, Private
from stocklab.db.row_security import CHILDREN, UNSEEN, covered_tables

SYSTEM = {
    "owners": "names of authors; ids are not secret, accounts are in users",
    "notices": "for everybody",
    "rate_windows": "counters of the program; subjects are hashed or ids",
    "board_entries": "the boards are public",
    "board_buckets": "counts over the boards",
    "publication_marks": "what a publication did since, public with it",
    "popular_posts": "counts of likes",
    "search_documents": "the words of public posts and comments, without authors",
    "news_items": "news of companies",
    "disclosures": "filings of companies",
    "component_days": "uptime of the program",
    "scheduled_runs": "the timetable",
    "source_days": "requests to sources",
    "source_states": "health of sources",
    "workers": "processes of the program",
    "last_quotes": "prices of the market",
    "kill_switches": "switches over accounts, thrown by the program for those who may",
}
"""Tables that hold what is nobody's, and why that is so. A new table comes here, or under one of the other kinds."""


def kinds_of(name: str, table: Table) -> list[str]:
    tables = covered_tables()
    kinds = {
        "private": tables.private,
        "authored": tables.authored,
        "unseen": UNSEEN,
        "child": frozenset(CHILDREN),
        "system": frozenset(SYSTEM),
    }
    return [kind for kind, names in kinds.items() if name in names]


def test_every_table_is_of_one_kind() -> None:
    odd = {name: kinds_of(name, table) for name, table in Base.metadata.tables.items()}
    assert {name: kinds for name, kinds in odd.items() if len(kinds) != 1} == {}


def test_every_table_with_an_owner_is_confined_to_owners() -> None:
    for mapper in Base.registry.mappers:
        table = mapper.local_table
        if isinstance(table, Table) and "owner_id" in table.columns:
            assert issubclass(mapper.class_, Private | Authored), table.name
            assert not table.columns["owner_id"].nullable


def test_children_hang_from_a_row_with_an_owner() -> None:
    tables = covered_tables()
    for name, (parent, column) in CHILDREN.items():
        if name not in Base.metadata.tables:
            continue
        assert parent in tables.authored | tables.private
        assert {key.column.table.name for key in Base.metadata.tables[name].columns[column].foreign_keys} == {parent}
