from __future__ import annotations

from collections.abc import Iterator

import pytest

from stocklab import caches
from stocklab.caches import Cache, Group, cache_figures, drop_unused, remember, see_snapshot, set_lifetimes, tally
from stocklab.settings import Settings


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """Seconds that the test moves; what the test registers is forgotten again."""
    known, seen = dict(caches._known), list(caches._seen)
    now = [1000.0]
    monkeypatch.setattr(caches.time, "monotonic", lambda: now[0])
    yield now
    caches._known.clear()
    caches._known.update(known)
    caches._seen[:] = seen
    set_lifetimes(Settings())


def test_a_value_is_made_once_counted_and_the_least_used_goes_first() -> None:
    made: list[int] = []
    squares: Cache[int] = Cache("squares", Group.RESULT, 2)

    def square(number: int) -> int:
        return squares.obtain(number, lambda: made.append(number) or number * number)

    assert [square(2), square(3), square(2), square(4), square(2), square(3)] == [4, 9, 4, 16, 4, 9]
    assert made == [2, 3, 4, 3]  # 3 went when 4 came, as 2 had been asked for since
    assert (squares.hits, squares.misses, len(squares)) == (2, 4, 2)


def test_none_is_a_value_and_an_error_is_not_kept() -> None:
    calls: list[str] = []

    @remember("words", Group.RESULT, 4)
    def word(text: str) -> str | None:
        calls.append(text)
        if text == "bad":
            raise ValueError(text)
        return None

    assert (word("a"), word("a")) == (None, None)
    for _ in range(2):
        with pytest.raises(ValueError, match="bad"):
            word("bad")
    assert calls == ["a", "bad", "bad"]


def test_each_lifetime_is_its_setting_and_counts_from_the_last_use(clock: list[float]) -> None:
    set_lifetimes(Settings(cache_result_seconds=100, cache_figure_seconds=10))
    results, figures = Cache[int]("r", Group.RESULT, 9), Cache[int]("f", Group.FIGURE, 9)
    results.put("x", 1)
    figures.put("x", 1)
    clock[0] += 60
    assert (results.get("x"), figures.get("x")) == (1, None)
    clock[0] += 60
    assert results.get("x") == 1  # used 60 seconds ago
    clock[0] += 101
    drop_unused()
    assert len(results) == 0
    shown = {one.name: one for one in cache_figures()}
    assert (shown["r"].lifetime_seconds, shown["f"].lifetime_seconds) == (100, 10)


def test_every_group_has_a_setting_of_its_own() -> None:
    settings = Settings(**{f"cache_{group}_seconds": 11 + number for number, group in enumerate(Group)})
    set_lifetimes(settings)
    found = [Cache[int](f"of_{group}", group, 1).figures().lifetime_seconds for group in Group]
    assert found == [11, 12, 13, 14]


def test_another_snapshot_empties_what_depends_on_the_market_also_what_is_being_made() -> None:
    see_snapshot("home", "one")
    prices, results = Cache[str]("p", Group.MARKET, 9, of_market=True), Cache[str]("q", Group.RESULT, 9)
    prices.put("close", "old")
    results.put("run", "kept")
    assert not see_snapshot("home", "one")
    assert prices.get("close") == "old"

    def slow() -> str:
        assert see_snapshot("home", "two")  # the data change while the value is made of the old ones
        return "of the old data"

    assert prices.obtain("volume", slow) == "of the old data"
    assert (prices.get("close"), prices.get("volume"), results.get("run")) == (None, None, "kept")


def test_what_is_kept_elsewhere_is_counted_too() -> None:
    files = tally("files")
    files.count(hits=3, misses=1)
    (shown,) = [one for one in cache_figures() if one.name == "files"]
    assert (shown.hits, shown.misses, shown.entries, shown.group) == (3, 1, None, None)
