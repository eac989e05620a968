"""Sharing a strategy, the list and page of what is shared, and the boards, without a browser."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from stocklab.backtest import RunRequest
from stocklab.data.engine import run_backtest
from stocklab.portfolios import Lab, Shelf
from stocklab.ranking import Boards, mark_publications
from stocklab.sharing import Clones, Publications, Showcase, Wish
from stocklab.strategy import Strategy, dump, parse_document

DOCUMENT = {
    "name": "Above [its] average <b>",
    "entry": {"rules": [{"id": "A", "formula": "close>sma_20"}]},
    "exit": {"max_holding": 10},
}


def said(page: AppTest) -> str:
    kinds = ("title", "header", "subheader", "markdown", "caption", "error", "warning", "info", "success")
    return "\n".join(str(part.value) for kind in kinds for part in getattr(page, kind))


def ran(lab: Lab, **changes: object) -> tuple[Strategy, str]:
    """A saved strategy with a finished run."""
    strategy = parse_document({**DOCUMENT, **changes})
    saved = lab.strategies.save(lab.owner_id, strategy)
    panel = lab.panel()
    request = RunRequest(
        strategy=strategy,
        start=panel.sessions[-400].item(),
        end=panel.sessions[-1].item(),
        initial_cash_krw=100_000_000,
    )
    result = run_backtest(lab.store, lab.results, request, threads=1).result
    lab.runs.record(
        lab.owner_id, result.run_id, request, card=result.card, metrics=result.metrics, strategy_id=saved.id
    )
    return strategy, saved.id


def published(lab: Lab, **how: object) -> str:
    strategy_id = ran(lab)[1]
    service = Publications(lab.database, lab.results, followers=(Boards(lab.database),))
    wish = Wish(strategy_id=strategy_id, **how)  # type: ignore[arg-type]
    return service.publish(lab.owner_id, wish, now=datetime(2026, 6, 1, tzinfo=UTC))


def test_a_strategy_is_shared_from_its_card(pages, lab: Lab) -> None:
    strategy_id = ran(lab, name="Shared from a card")[1]
    page = pages("strategies")
    page.button(key=f"share_{strategy_id}").click().run()
    assert not page.exception
    assert "지금부터 성과를 재기 시작합니다" in said(page)
    page.checkbox(key="share_anonymous").check()
    page.checkbox(key="share_hides").check()
    page.button(key="share_confirm").click().run()
    assert not page.exception
    found = Showcase(lab.database).mine(lab.owner_id, strategy_id=strategy_id).items
    assert [(one.is_anonymous, one.sealed, one.visibility) for one in found] == [(True, True, "public")]


def test_a_strategy_that_never_ran_cannot_be_shared_and_says_why(pages, lab: Lab) -> None:
    saved = lab.strategies.save(lab.owner_id, parse_document({**DOCUMENT, "name": "Never run", "benchmark": "KOSDAQ"}))
    page = pages("strategies")
    page.button(key=f"share_{saved.id}").click().run()
    page.button(key="share_confirm").click().run()
    assert any("끝난 실행이 없습니다" in part.value for part in page.error)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_publication_shows_figures_marks_and_rules(pages, lab: Lab, lang: str) -> None:
    made = published(lab)
    mark_publications(lab.database, lab.store, lab.results, threads=1, factor_cache_mb=100)
    page = pages("shared", lang=lang, publication=made)
    assert not page.exception
    assert page.metric[0].label == ("공개 이후 수익률" if lang == "ko" else "Return since publication")
    assert "\\[its\\]" in said(page)
    assert Showcase(lab.database).get(None, made).views == 1
    page.button(key="like_publication").click().run()
    assert Showcase(lab.database).get(lab.owner_id, made).liked
    page.button(key="clone_publication").click().run()
    assert not page.exception
    assert lab.strategies.list(lab.owner_id, sort="created")[0].origin_id == made


def test_hidden_rules_are_not_on_the_page_until_the_seal_is_opened(pages, lab: Lab) -> None:
    made = published(lab, hides_rules=True)
    page = pages("shared", publication=made)
    hash_shown = Showcase(lab.database).get(None, made).sealed_hash
    assert hash_shown in [part.value for part in page.code]
    assert "sma" not in said(page)
    assert page.button(key="clone_publication").disabled
    page.button(key="reveal_publication").click().run()
    page.button(key="publication_confirm").click().run()
    assert not page.exception
    page = pages("shared", publication=made)
    assert "봉인한 규칙과 같습니다" in said(page)


def test_what_is_withdrawn_is_a_grave_and_what_never_was_an_error(pages, lab: Lab) -> None:
    made = published(lab)
    page = pages("shared", publication=made)
    page.button(key="withdraw_publication").click().run()
    page.button(key="publication_confirm").click().run()
    page = pages("shared", publication=made)
    assert "철회된 전략입니다" in said(page)
    assert not page.exception
    for wrong in ("nothing", "../../etc/passwd", "' OR 1=1"):
        page = pages("shared", publication=wrong)
        assert page.error
        assert not page.exception


def test_the_list_and_the_boards_in_their_states(pages, lab: Lab) -> None:
    made = published(lab)
    page = pages("shared")
    assert Showcase(lab.database).get(None, made).name.split()[0] in said(page)
    page.text_input(key="shared_search").input("no such name").run()
    assert "맞는 공유 전략이 없습니다." in said(page)
    page.text_input(key="shared_search").input("above").run()
    assert "\\[its\\]" in said(page)
    for board in ("after_publication", "deflated_sharpe", "risk_adjusted", "backtest"):
        page = pages("ranking", board=board)
        assert not page.exception
        assert not page.error
    assert "내 최고 순위" in said(page)
    page.number_input(key="ranking_sessions").set_value(100_000).run()
    assert "필터에 맞는 전략이 없습니다." in said(page)
    page.toggle(key="ranking_demo").set_value(False).run()
    assert "이 순위표에 내 전략이 없습니다." in said(page)


def test_the_shelf_takes_in_a_document_and_nothing_else(lab: Lab) -> None:
    strategy, strategy_id = ran(lab, name="Exported")
    shelf = Shelf(lab.database)
    text = shelf.export(lab.owner_id, strategy_id)
    assert text == dump(strategy)
    assert shelf.take_in(lab.owner_id, text.encode()).id != strategy_id
    assert Clones(lab.database).family(None, "nothing").ancestors == ()
