"""Cloning with attribution, the tree that comes of it, and counters under many writers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from stocklab.db import OwnerRow, PublicationRow
from stocklab.errors import LimitReached
from stocklab.portfolios import StrategyNotFound
from stocklab.settings import Settings
from stocklab.sharing import Clones, Likes, PublicationNotFound, Showcase, Wish, sharing_limits
from stocklab.strategy import Strategy

Make = Callable[..., Strategy]


def publish_clone(home: Any, owner: str, publication: str, **how: Any) -> str:
    saved = Clones(home.database).clone(owner, publication)
    home.run(owner, saved.strategy())
    made: str = home.publications.publish(owner, Wish(strategy_id=saved.id, **how))
    return made


def test_settings_say_how_often_one_clones_and_likes(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy())
    limits = sharing_limits(Settings(clones_an_hour=1, likes_a_minute=2))
    clones, likes = Clones(home.database, limits), Likes(home.database, limits)
    for act, most in ((clones.clone, 1), (likes.like, 2)):
        for _time in range(most):
            act("ben", made)
        with pytest.raises(LimitReached):
            act("ben", made)


def test_what_is_saved_from_a_result_keeps_where_its_rules_are_from(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy("Root"))
    clones = Clones(home.database)
    with home.database.read() as session:
        run_id = session.get(PublicationRow, made).run_id
    assert clones.origin_of_run("ben", run_id) == made
    assert clones.origin_of_run("ada", run_id) is None
    home.run("cho", strategy("Root"))
    assert clones.origin_of_run("cho", run_id) is None
    copy = clones.clone("ben", made)
    home.run("ben", strategy("Root"), strategy_id=copy.id)
    assert clones.origin_of_run("ben", run_id) == made
    changed = home.strategies.save("ben", strategy("Root", "per<5"), strategy_id=copy.id).strategy()
    home.run("ben", changed, strategy_id=copy.id)
    assert clones.origin_of_run("ben", home.runs.list("ben")[0].run_id) == made
    home.publications.withdraw("ada", made)
    assert clones.origin_of_run("dan", run_id) is None


def test_a_clone_is_ones_own_remembers_its_origin_and_counts_once(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy())
    clones = Clones(home.database)
    copy = clones.clone("ben", made)
    assert (copy.owner_id, copy.origin_id, copy.strategy()) == ("ben", made, strategy())
    assert home.strategies.duplicate("ben", copy.id).origin_id == made
    assert home.strategies.save("ben", copy.strategy(), origin_id=copy.origin_id).origin_id == made
    with pytest.raises(StrategyNotFound):
        home.strategies.get("ada", copy.id)
    clones.clone("ada", made)  # one's own does not count
    assert Showcase(home.database).get("ada", made).clones == 1
    with pytest.raises(PublicationNotFound):
        clones.clone("ben", "nothing")


def test_what_a_clone_began_with_is_named_as_its_author_wished(home: Any, strategy: Make) -> None:
    clones = Clones(home.database)
    named = [
        clones.origin("ben", home.publish("cho", strategy("Root"), **how))
        for how in ({}, {"is_anonymous": True}, {"visibility": "unlisted"})
    ]
    assert [(one.name, one.author) for one in named if one is not None] == [
        ("Root", "조하나"),
        ("Root", None),
        (None, None),
    ]
    assert clones.origin("ben", "nothing") is None


def test_a_clone_inherits_the_trials_of_what_it_copies(home: Any, strategy: Make) -> None:
    for number in range(1, 8):
        home.run("ada", strategy(formula=f"per<{number}"))
    made = home.publish("ada", strategy(formula="per<7"))
    assert Showcase(home.database).get("ben", made).trials == 7
    below = publish_clone(home, "ben", made)
    assert Showcase(home.database).get("cho", below).trials == 8  # seven of Ada's and one of Ben's


def test_the_family_tree_reaches_both_ways_and_keeps_graves_and_secrets(home: Any, strategy: Make) -> None:
    root = home.publish("ada", strategy("Root"))
    child = publish_clone(home, "ben", root, is_anonymous=True)
    secret = publish_clone(home, "cho", root, visibility="unlisted")
    grandchild = publish_clone(home, "cho", child)
    below_secret = publish_clone(home, "ben", secret)
    home.publications.withdraw("ben", child)
    clones = Clones(home.database)
    down = clones.family("cho", root)
    assert [(one.id, one.author, one.depth, one.is_grave) for one in down.descendants] == [
        (child, None, 1, True),
        (grandchild, "조하나", 2, False),
    ]
    up = clones.family("ada", grandchild)
    assert [(one.id, one.depth) for one in up.ancestors] == [(child, 1), (root, 2)]
    hidden = clones.family("ada", below_secret).ancestors
    assert [(one.id, one.name, one.author) for one in hidden] == [(None, None, None), (root, "Root", "Ada Lovelace")]
    assert (up.more, down.more) == (False, False)


def test_a_long_line_of_clones_is_cut(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy())
    chain = [made]
    for number in range(23):
        chain.append(publish_clone(home, ("ada", "ben")[number % 2], chain[-1]))
    clones = Clones(home.database)
    up, down = clones.family(None, chain[-1]), clones.family(None, chain[0])
    assert [one.id for one in up.ancestors] == chain[-2:-22:-1]
    assert [one.id for one in down.descendants] == chain[1:9]
    assert up.more


def test_counters_are_exact_under_many_writers(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy())
    people = [f"p{number}" for number in range(12)]
    with home.database.write() as session:
        session.add_all(OwnerRow(id=one, name=one) for one in people)
    likes, clones, showcase = Likes(home.database), Clones(home.database), Showcase(home.database)
    begin = threading.Barrier(len(people))
    failed: list[BaseException] = []

    def act(number: int, person: str) -> None:
        begin.wait()
        try:
            for _ in range(4):
                likes.like(person, made)
                showcase.seen(made)
                if number % 2:
                    likes.unlike(person, made)
            clones.clone(person, made)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=act, args=each) for each in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = showcase.get("ada", made)
    assert failed == []
    assert (found.likes, found.clones, found.views) == (6, 12, 48)
