"""Publishing, hiding rules under a seal, taking back: what readers see, and what they never see."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from stocklab.community import Moderation, SubjectKind
from stocklab.db import LOCAL_OWNER_ID, Database, PublicationFactorRow, SealedRulesRow
from stocklab.errors import InputError
from stocklab.operations.audit import AuditLog
from stocklab.portfolios import StrategyNotFound
from stocklab.ranking import Board
from stocklab.sharing import (
    CloneRefused,
    Clones,
    Likes,
    NothingToShow,
    PublicationNotFound,
    Showcase,
    Wish,
    factors_of,
    seal,
)
from stocklab.strategy import Strategy

Make = Callable[..., Strategy]


def test_a_publication_shows_the_version_with_its_newest_run_and_never_changes(home: Any, strategy: Make) -> None:
    saved = home.strategies.save("ada", strategy("First", "per<10"))
    home.strategies.save("ada", strategy("Second", "per<12"), strategy_id=saved.id)
    home.run("ada", strategy("First", "per<10"))
    made = home.publications.publish("ada", Wish(strategy_id=saved.id, version=1, description=" why "))
    home.strategies.save("ada", strategy("Third", "pbr<1"), strategy_id=saved.id)
    home.strategies.delete("ada", saved.id)
    found = Showcase(home.database).get("ben", made)
    assert (found.name, found.author, found.description, found.is_mine) == ("First", "Ada Lovelace", "why", False)
    assert found.strategy() == strategy("First", "per<10")
    assert (found.factors, found.trials, found.metrics["sharpe"]) == (("per",), 1, 1.5)
    assert found.curve["sessions"][0] == "2024-01-02"
    assert found.curve["growth"][:1] == [1.0]
    assert len(found.curve["growth"]) == 120


def test_only_rules_that_ran_are_published_and_only_by_their_owner(home: Any, strategy: Make) -> None:
    saved = home.strategies.save("ada", strategy())
    with pytest.raises(NothingToShow, match="no finished run"):
        home.publications.publish("ada", Wish(strategy_id=saved.id))
    home.run("ben", strategy())
    with pytest.raises(NothingToShow):
        home.publications.publish("ada", Wish(strategy_id=saved.id))
    with pytest.raises(StrategyNotFound):
        home.publications.publish("ben", Wish(strategy_id=saved.id))
    home.run("ada", strategy())
    with pytest.raises(StrategyNotFound, match="no version 2"):
        home.publications.publish("ada", Wish(strategy_id=saved.id, version=2))
    with pytest.raises(InputError, match="at most 2,000"):
        home.publications.publish("ada", Wish(strategy_id=saved.id, description="x" * 2001))
    made = home.publications.publish("ada", Wish(strategy_id=saved.id))
    for act in (home.publications.withdraw, home.publications.reveal):
        with pytest.raises(PublicationNotFound):
            act("ben", made)


def test_an_anonymous_author_is_nowhere_in_what_readers_get(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy(), is_anonymous=True)
    child = Clones(home.database).clone("ben", made)
    home.run("ben", child.strategy())
    below = home.publications.publish("ben", Wish(strategy_id=child.id))
    showcase = Showcase(home.database)
    told = [
        showcase.list("ben"),
        showcase.list(None),
        showcase.get("ben", made),
        showcase.get(None, made),
        Clones(home.database).family("ben", below),
        Clones(home.database).family("cho", made),
        home.boards.top("ben", Board.BACKTEST, synthetic=False),
        child,
    ]
    for one in told:
        assert "'ada'" not in repr(one)
        assert "Ada Lovelace" not in repr(one)
        assert made in repr(one) or below in repr(one)
    assert showcase.get("ada", made).is_mine
    assert showcase.mine("ada").items[0].id == made


def test_sealed_rules_are_nowhere_until_they_are_opened_and_then_fit_the_seal(home: Any, strategy: Make) -> None:
    secret = strategy("Secret", "roe>17.25")
    made = home.publish("ada", secret, hides_rules=True)
    showcase, clones = Showcase(home.database), Clones(home.database)
    found = showcase.get("ben", made)
    told = repr((found, showcase.list("ben"), home.boards.top("ben", Board.BACKTEST, synthetic=False)))
    for word in ("17.25", "roe", *(run.run_id for run in home.runs.list("ada")), secret.model_dump_json()):
        assert word not in told
    assert found.sealed
    assert found.metrics["sharpe"] == 1.5
    assert showcase.list("ben", factors=["roe"]).items == ()
    with pytest.raises(CloneRefused, match="hidden"):
        clones.clone("ben", made)

    home.publications.reveal("ada", made)
    opened = showcase.get("ben", made)
    text = json.dumps(dict(opened.document or {}), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(f"{opened.salt}{text}".encode()).hexdigest() == found.sealed_hash
    assert not opened.sealed
    assert [one.id for one in showcase.list("ben", factors=["roe"]).items] == [made]
    assert clones.clone("ben", made).strategy() == secret
    with pytest.raises(PublicationNotFound):
        home.publications.reveal("ada", made)
    with home.database.read() as session:
        assert session.scalar(select(func.count()).select_from(SealedRulesRow)) == 0


def test_a_seal_is_the_hash_of_salt_and_canonical_json() -> None:
    # printf %s '00ff{"a":"가","b":[1,2.5]}' | sha256sum
    assert seal({"b": [1, 2.5], "a": "가"}, "00ff") == hashlib.sha256('00ff{"a":"가","b":[1,2.5]}'.encode()).hexdigest()


@pytest.mark.parametrize("hides_rules", [False, True])
def test_what_is_withdrawn_leaves_a_grave_with_its_name_and_nothing_else(
    home: Any, strategy: Make, hides_rules: bool
) -> None:
    made = home.publish("ada", strategy(), hides_rules=hides_rules, description="words")
    home.publications.withdraw("ada", made)
    home.publications.withdraw("ada", made)
    found = Showcase(home.database).get("ben", made)
    assert (found.name, found.document, found.description, found.curve) == ("Value", None, "", {})
    assert found.withdrawn_at is not None
    assert Showcase(home.database).list("ben").items == ()
    with pytest.raises(CloneRefused, match="withdrawn"):
        Clones(home.database).clone("ben", made)
    with pytest.raises(PublicationNotFound):
        Likes(home.database).like("ben", made)
    with home.database.read() as session:
        assert session.scalar(select(func.count()).select_from(SealedRulesRow)) == 0
        assert session.scalar(select(func.count()).select_from(PublicationFactorRow)) == 0


def test_what_is_not_listed_is_seen_by_whoever_has_its_id(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy(), visibility="unlisted")
    assert Showcase(home.database).list("ben").items == ()
    assert home.boards.top("ben", Board.BACKTEST, synthetic=False).items == ()
    assert Showcase(home.database).get("ben", made).visibility == "unlisted"
    assert [one.id for one in Showcase(home.database).mine("ada").items] == [made]


def test_what_moderators_hide_only_its_author_sees(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy())
    home.publications.hide(made, True)
    showcase = Showcase(home.database)
    with pytest.raises(PublicationNotFound):
        showcase.get("ben", made)
    with pytest.raises(PublicationNotFound):
        Clones(home.database).clone("ben", made)
    assert showcase.get("ada", made).hidden_at is not None
    assert (showcase.list("ben").items, home.boards.top("ben", Board.BACKTEST, synthetic=False).items) == ((), ())
    home.publications.hide(made, False)
    assert len(showcase.list("ben").items) == len(home.boards.top("ben", Board.BACKTEST, synthetic=False).items) == 1


def test_what_is_published_and_taken_back_stands_in_the_audit_log(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy(), hides_rules=True)
    home.publications.reveal("ada", made)
    home.publications.withdraw("ada", made)
    home.publications.withdraw("ada", made)
    rows = AuditLog(home.database).page()
    done = ["sharing.withdrawn", "sharing.revealed", "sharing.published"]
    assert [(row.action, row.actor_id, row.subject) for row in rows] == [(action, "ada", made) for action in done]
    assert "per" not in repr(rows[2].details)


def test_what_admins_decide_about_a_report_reaches_the_boards(home: Any, strategy: Make) -> None:
    made = home.publish("ada", strategy())
    moderation = Moderation(home.database, followers=(home.boards,))
    moderation.hide(LOCAL_OWNER_ID, SubjectKind.PUBLICATION, made)
    moderation.hide(LOCAL_OWNER_ID, SubjectKind.PUBLICATION, made)
    assert home.boards.top("ben", Board.BACKTEST, synthetic=False).items == ()
    with pytest.raises(PublicationNotFound):
        Showcase(home.database).get("ben", made)
    moderation.unhide(LOCAL_OWNER_ID, SubjectKind.PUBLICATION, made)
    assert len(home.boards.top("ben", Board.BACKTEST, synthetic=False).items) == 1


def test_a_person_who_leaves_takes_everything_back(home: Any, strategy: Make) -> None:
    for name in ("A", "B"):
        home.publish("ada", strategy(name))
    home.publish("ben", strategy("C"))
    assert home.publications.withdraw_all("ada") == 2
    assert [one.name for one in Showcase(home.database).list(None).items] == ["C"]


def test_the_factors_a_document_uses(strategy: Make) -> None:
    document = strategy(
        formula="(per<10)&(mine>1)&(close>sma(close,60))",
        factors=[{"id": "mine", "name": "Mine", "formula": "roe/pbr"}],
        ranking={"factors": [{"formula": "mom_12_1"}]},
        exit={"rules": [{"id": "S", "formula": "rsi_14>70"}]},
    )
    assert factors_of(document) == {"per", "roe", "pbr", "mom_12_1", "rsi_14"}


def test_views_are_counted(home: Any, strategy: Make, database: Database) -> None:
    made = home.publish("ada", strategy())
    for _ in range(3):
        Showcase(database).seen(made)
    assert Showcase(database).get(None, made).views == 3
