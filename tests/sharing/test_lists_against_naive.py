"""What indexes answer is what a look at every row would: searches of the public list, and families."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from stocklab.db import Database, OwnerRow, PublicationFactorRow, PublicationRow, PublicationTermRow
from stocklab.sharing import Clones, Showcase
from stocklab.sharing.clones import MOST_DEPTH, MOST_DESCENDANTS
from stocklab.sharing.finding import FEW, terms_of

WORDS = ("가치", "성장", "배당", "모멘텀", "코스피", "코스닥", "low per", "반등")
SHARES = {"per": 0.95, "pbr": 0.85, "roe": 0.3, "rsi_14": 0.05}
COUNT = 1_500
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def rows(rng: random.Random, parents: bool = False) -> list[dict[str, Any]]:
    """Publications of one owner, some not listed; two of each moment."""
    made: list[dict[str, Any]] = []
    for number in range(COUNT):
        made.append(
            {
                "id": f"{rng.getrandbits(64):016x}",
                "owner_id": "ada",
                "version": 1,
                "name": f"전략 {rng.choice(WORDS)} {rng.choice(WORDS)}",
                "visibility": "unlisted" if rng.random() < 0.1 else "public",
                "hidden_at": BEGAN if rng.random() < 0.05 else None,
                "withdrawn_at": BEGAN if rng.random() < 0.05 else None,
                "parent_id": rng.choice(made)["id"] if parents and number and rng.random() < 0.9 else None,
                "likes": rng.randrange(4),
                "clones": rng.randrange(3),
                "metrics": {},
                "curve": {},
                "description": "",
                "published_at": BEGAN + timedelta(minutes=number // 2),
            }
        )
    return made


def keep(database: Database, made: list[dict[str, Any]], factors: dict[str, set[str]]) -> None:
    with database.write() as session:
        session.add(OwnerRow(id="ada", name="Ada"))
        session.flush()
        session.execute(insert(PublicationRow), made)
        session.execute(
            insert(PublicationFactorRow),
            [{"publication_id": one["id"], "factor": factor} for one in made for factor in sorted(factors[one["id"]])],
        )
        session.execute(
            insert(PublicationTermRow),
            [{"publication_id": one["id"], "term": term} for one in made for term in terms_of(one["name"])],
        )


def test_searches_find_what_a_look_at_every_row_finds(database: Database) -> None:
    rng = random.Random(1)
    made = rows(rng)
    factors = {one["id"]: {name for name, share in SHARES.items() if rng.random() < share} for one in made}
    keep(database, made, factors)
    listed = [one for one in made if one["visibility"] == "public" and not (one["hidden_at"] or one["withdrawn_at"])]
    showcase = Showcase(database)
    sizes = []
    for wanted, search in (
        ((), ""),
        (("per", "pbr"), "전략"),
        (("per",), ""),
        (("roe", "rsi_14"), ""),
        (("per", "pbr", "roe"), "가치 성장"),
        ((), "코스피 코스닥"),
        (("pbr",), "ＬＯＷ per"),
        ((), "스피 배"),
        (("rsi_14",), "없는 말"),
    ):
        found = [
            one
            for one in listed
            if set(wanted) <= factors[one["id"]] and set(terms_of(search)) <= set(terms_of(one["name"]))
        ]
        sizes.append(len(found))
        for sort, field in (("newest", "published_at"), ("likes", "likes"), ("clones", "clones")):
            ordered = [one["id"] for one in sorted(found, key=lambda one: (one[field], one["id"]), reverse=True)]
            shown: list[str] = []
            after = None
            for _ in range(4):
                page = showcase.list("ada", search=search, factors=wanted, sort=sort, after=after)  # type: ignore[arg-type]
                shown += [one.id for one in page.items]
                after = page.after
                if after is None:
                    break
            assert shown == ordered[:80], (wanted, search, sort)
            assert (after is None) == (len(ordered) <= 80)
    assert max(sizes[1:]) >= FEW > min(sizes)  # both ways were gone


@pytest.mark.parametrize("seed", range(3))
def test_a_family_is_the_one_that_a_walk_from_row_to_row_meets(database: Database, seed: int) -> None:
    rng = random.Random(seed)
    made = rows(rng, parents=True)
    keep(database, made, {one["id"]: {"per"} for one in made})
    by_parent: dict[str | None, list[dict[str, Any]]] = {}
    for one in made:
        by_parent.setdefault(one["parent_id"], []).append(one)
    clones = Clones(database)
    for root in [made[0], *rng.sample(made, 10)]:
        met: list[tuple[int, datetime, str]] = []
        generation = [root["id"]]
        for depth in range(1, MOST_DEPTH + 1):
            children = [
                one
                for parent in generation
                for one in by_parent.get(parent, [])
                if one["visibility"] == "public" and one["hidden_at"] is None
            ]
            met += [(depth, one["published_at"], one["id"]) for one in children]
            generation = [one["id"] for one in children]
        family = clones.family("ada", root["id"])
        assert [(one.depth, one.published_at, one.id) for one in family.descendants] == sorted(met)[:MOST_DESCENDANTS]
        assert family.more == (len(met) > MOST_DESCENDANTS)
        above, by_id = [], {one["id"]: one for one in made}
        parent = root["parent_id"]
        while parent is not None:
            above.append(by_id[parent])
            parent = by_id[parent]["parent_id"]
        assert [one.published_at for one in family.ancestors] == [one["published_at"] for one in above[:20]]
        assert [one.id is None for one in family.ancestors] == [
            one["visibility"] != "public" or one["hidden_at"] is not None for one in above[:20]
        ]
