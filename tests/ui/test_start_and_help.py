"""A new user's first steps: questions, suggestions, help, a message, and notices above the page."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stocklab.db import LOCAL_OWNER_ID, NoticeReadRow, NoticeRow
from stocklab.portfolios import Lab
from stocklab.strategy import PRESETS
from stocklab.strategy.matching import Answers, match_presets

CAREFUL = {"horizon": "long", "approach": "value", "risk": "low", "income": "dividend", "company": "steady"}


def said(page) -> str:
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning", "info", "success")
    return "\n".join(str(part.value) for kind in kinds for part in getattr(page, kind))


def suggested(page) -> list[str]:
    return [str(part.key).removeprefix("run_") for part in page.button if str(part.key).startswith("run_")]


def test_five_answers_give_three_strategies_and_the_invitation_goes(pages, lab: Lab) -> None:
    assert "New here? Five questions" in said(pages(lang="en"))
    page = pages("start", lang="en")
    assert "No suggestion yet." in said(page)
    for question, answer in CAREFUL.items():
        if question != "company":
            page.radio(key=f"field_{question}").set_value(answer)
    send = next(part for part in page.button if part.label == "Show what fits")
    send.click().run()
    assert "One question is still open." in said(page)
    page.radio(key="field_company").set_value(CAREFUL["company"])
    next(part for part in page.button if part.label == "Show what fits").click().run()
    assert not page.exception
    answers = Answers.from_dict(CAREFUL)
    assert lab.onboarding.answers(LOCAL_OWNER_ID) == answers
    found = suggested(page)
    assert len(found) == 3
    assert found[0] in {match.preset_id for match in match_presets(answers, most=5)}
    assert PRESETS[found[0]].name_en in said(page)
    assert "Source of return" in said(page)
    assert "New here? Five questions" not in said(pages(lang="en"))


def test_a_suggestion_runs_in_one_click(pages, lab: Lab) -> None:
    lab.onboarding.keep(LOCAL_OWNER_ID, Answers.from_dict(CAREFUL), ())
    page = pages("start")
    assert len(suggested(page)) == 3
    page.button(key=f"run_{suggested(page)[0]}").click().run()
    assert not page.exception
    kinds = [view.order.kind for view in lab.jobs.list(LOCAL_OWNER_ID)]
    assert "backtest" in kinds  # and the proof that a finished one begins


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_message_is_kept_and_shown_as_text(pages, lab: Lab, lang: str) -> None:
    page = pages("help", lang=lang)
    words = f"<script>alert(1)</script> {lang}"
    page.text_area(key="feedback_body").input(words)
    page.button[-1].click().run()
    assert not page.exception
    assert words in [message.body for message in lab.accounts.feedback.mine(LOCAL_OWNER_ID)]
    assert words in [part.value for part in page.text]


def test_an_empty_message_is_refused_in_words(pages) -> None:
    page = pages("help", lang="en")
    page.button[-1].click().run()
    assert not page.exception
    assert list(page.error)


def test_a_notice_stands_above_every_page_until_it_is_put_away(pages, lab: Lab) -> None:
    with lab.database.write() as session:
        session.add(
            NoticeRow(id="n1", title="**Tonight**", body="We rest.", level="warning", shown_from=datetime.now(UTC))
        )
    for name in ("home", "system"):
        assert "We rest." in said(pages(name))
    page = pages("help")
    page.button(key="put_away_n1").click().run()
    assert "We rest." not in said(page)
    with lab.database.write() as session:
        session.delete(session.get_one(NoticeReadRow, (LOCAL_OWNER_ID, "n1")))
        session.delete(session.get_one(NoticeRow, "n1"))
