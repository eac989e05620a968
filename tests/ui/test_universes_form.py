"""Saved universes and dated lists in the builder and the screener."""

from __future__ import annotations

import pytest
from sqlalchemy import delete
from streamlit.testing.v1 import AppTest

from stocklab.db import UniverseRow


@pytest.fixture(autouse=True)
def _no_universes(lab):
    with lab.database.write() as session:
        session.execute(delete(UniverseRow))


def universe_of(page: AppTest, desk: str = "builder") -> dict:
    return page.session_state[desk]["document"]["universe"]


def open_universe(pages, name: str = "builder") -> AppTest:
    page = pages(name)
    key = "builder_section" if name == "builder" else "screener_part_choice"
    return page.button_group(key=key).set_value("universe").run()


def save_as(page: AppTest, name: str, *, replace: bool = False) -> AppTest:
    page.text_input(key="universe_save_name").input(name).run()
    if replace:
        page.checkbox(key="universe_replace").check().run()
    return page.button(key="universe_save_confirm").click().run()


def test_a_universe_is_saved_in_the_builder_and_used_in_the_screener(pages, lab):
    page = open_universe(pages)
    assert not [box for box in page.selectbox if box.key == "universe_picked"], "nothing is saved yet"
    page.selectbox(key="field_universe_index").set_value("KOSPI200").run()
    page.multiselect(key="field_universe_symbols").set_value(["000020", "000050"]).run()
    page = save_as(page, "내 대형주")
    (saved,) = lab.universes.list(lab.owner_id)
    assert (saved.name, saved.universe().index) == ("내 대형주", "KOSPI200")
    assert not page.exception

    screen = open_universe(pages, "screener")
    screen.selectbox(key="universe_picked").set_value(saved.id).run()
    assert universe_of(screen, "screener") == dict(saved.document)
    screen.text_input(key=f"universe_rename_to_{saved.id}").input("대형주").run()
    screen.button(key="universe_rename").click().run()
    assert [each.name for each in lab.universes.list(lab.owner_id)] == ["대형주"]
    screen.toggle(key="universe_sure").set_value(True).run()
    screen.button(key="universe_delete").click().run()
    assert lab.universes.list(lab.owner_id) == ()
    assert universe_of(screen, "screener")["index"] == "KOSPI200", "what used it keeps its copy"


def test_a_name_that_is_taken_is_replaced_only_when_asked(pages, lab):
    page = save_as(open_universe(pages), "하나")
    page.toggle(key="field_universe_top_on").set_value(True).run()
    page = save_as(page, "하나")
    assert any("이미" in part.value for part in page.warning)
    assert lab.universes.list(lab.owner_id)[0].universe().top is None
    save_as(page, "하나", replace=True)
    assert lab.universes.list(lab.owner_id)[0].universe().top is not None


def test_a_saved_universe_that_cannot_be_read_is_said(pages, lab):
    page = save_as(open_universe(pages), "하나")
    saved = lab.universes.list(lab.owner_id)[0]
    with lab.database.write() as session:
        session.get_one(UniverseRow, saved.id).document = {"markets": ["NYSE"]}
    before = universe_of(page)
    page.selectbox(key="universe_picked").set_value(None).run()
    page.selectbox(key="universe_picked").set_value(saved.id).run()
    assert page.warning
    assert universe_of(page) == before


def test_themes_and_indices_tell_since_when_they_are_known(pages):
    page = open_universe(pages)
    page.selectbox(key="field_universe_index").set_value("KOSDAQ150").run()
    page.multiselect(key="field_universe_themes").set_value(["가상 신약"]).run()
    told = [part.value for part in page.caption if "구성종목을" in part.value]
    assert len(told) == 2
    assert universe_of(page)["themes"] == ["가상 신약"]
    page.multiselect(key="field_universe_themes").set_value([]).run()
    assert not page.exception
