"""What lies in the inbox is a whole answer of today's program, or it is asked for again; never a hole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from stocklab.data import Store
from stocklab.data.sources.feed import Answer, AnswerState
from stocklab.data.sync.absorb import absorb, coverage_of
from stocklab.data.sync.inbox import Inbox, Kept
from stocklab.errors import SourceChanged

FEED = "reports.rates"
SESSIONS = pl.date_range(pl.date(2024, 1, 2), pl.date(2024, 1, 4), eager=True)
RATES = pl.DataFrame({"session": SESSIONS, "name": ["call"] * 3, "percent": [1.0, 2.0, 3.0]})


@pytest.fixture
def inbox(store: Store) -> Inbox:
    return Inbox(store.home)


def keep(inbox: Inbox, key: str, rows: pl.DataFrame = RATES) -> Kept:
    return inbox.keep(FEED, "reports", key, Answer(state=AnswerState.FINAL, frames={"rates": rows}))


def lose_rows(kept: Kept) -> None:
    (kept.path / "rates.parquet").unlink()


def cut_rows(kept: Kept) -> None:
    file = kept.path / "rates.parquet"
    file.write_bytes(file.read_bytes()[:-20])


def older_columns(kept: Kept) -> None:
    RATES.drop("percent").write_parquet(kept.path / "rates.parquet")


def older_words(kept: Kept) -> None:
    file = kept.path / "answer.json"
    value = json.loads(file.read_text(encoding="utf-8"))
    del value["datasets"]
    file.write_text(json.dumps(value), encoding="utf-8")


def unknown_dataset(kept: Kept) -> None:
    file = kept.path / "answer.json"
    value = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**value, "datasets": ["of a later version"]}), encoding="utf-8")


@pytest.mark.parametrize("harm", [lose_rows, cut_rows, older_columns, older_words, unknown_dataset])
def test_a_part_of_an_answer_is_asked_for_again(store: Store, inbox: Inbox, harm) -> None:
    keep(inbox, "whole")
    harm(keep(inbox, "harmed", RATES.with_columns(name=pl.lit("other"))))
    done = absorb(store, inbox, order=(FEED,))
    assert done.answers == 1
    snapshot = store.current()
    assert snapshot is not None
    assert set(coverage_of(snapshot)[FEED]) == {"whole"}, "the other is not counted as answered"
    assert_frame_equal(snapshot.scan("rates").collect(), RATES)
    assert inbox.pending() == []


@pytest.mark.parametrize("key", ["..", ".", "../../x", "a/b", "한글 ?*", "2026-11-01..2026-11-26"])
def test_no_key_leads_out_of_the_folder_of_its_feed(store: Store, inbox: Inbox, key: str) -> None:
    keep(inbox, "before", RATES.with_columns(name=pl.lit("before")))
    kept = keep(inbox, key)
    assert kept.path.resolve().parent == (inbox.directory / FEED).resolve()
    assert {one.key for one in inbox.pending()} == {"before", key}
    absorb(store, inbox, order=(FEED,))
    assert set(coverage_of(store.current())[FEED]) == {"before", key}


def test_a_key_longer_than_a_file_name_is_refused(inbox: Inbox) -> None:
    with pytest.raises(SourceChanged, match="letters"):
        keep(inbox, "가" * 30)
    keep(inbox, "a" * 200)


def test_a_copy_made_while_answers_are_stored_leaves_no_hole(store: Store, tmp_path: Path, inbox: Inbox) -> None:
    """A backup copies file by file: the old snapshot and a half of the inbox, which the sync empties meanwhile."""
    keep(inbox, "first", RATES.head(1))
    absorb(store, inbox, order=(FEED,))
    kept = keep(inbox, "second", RATES.tail(2))
    copy = tmp_path / "copy"
    shutil.copytree(store.home, copy, copy_function=shutil.copy2)
    (copy / kept.path.relative_to(store.home) / "rates.parquet").unlink()
    other = Store(copy)
    assert absorb(other, Inbox(copy), order=(FEED,)).answers == 0
    assert set(coverage_of(other.current())[FEED]) == {"first"}
