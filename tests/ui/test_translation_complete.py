"""Every word the pages show exists in Korean."""

from __future__ import annotations

import re

import pytest

from stocklab.backtest.codes import CAUSE_NAMES, REASON_NAMES, STATUS_NAMES
from stocklab.errors import Cancelled, DocumentError, FieldFault, FormulaError, InputError, ResultNotFound
from stocklab.factors import CATALOGUE
from stocklab.ui import catalogue, text
from stocklab.ui.messages import extract_messages, read_catalogue
from stocklab.ui.result.frames import REASONS, STATUSES

PLACEHOLDER = re.compile(r"{\w+}")


def test_korean_catalogue_is_complete():
    stored = read_catalogue("ko")
    messages = extract_messages()
    assert len(messages) > 300
    missing = [message for message in messages if not getattr(stored.get(message), "string", "")]
    fuzzy = [message.id for message in stored if message.fuzzy and message.id]
    unused = [message.id for message in stored if message.id and message.id not in messages]
    assert (missing, fuzzy, unused) == ([], [], [])


def test_translations_keep_their_placeholders():
    wrong = [
        message.id
        for message in read_catalogue("ko")
        if message.id and sorted(PLACEHOLDER.findall(message.id)) != sorted(PLACEHOLDER.findall(str(message.string)))
    ]
    assert [message for message in wrong if "{종가}" not in message] == []


def test_messages_inside_f_strings_are_found(tmp_path):
    (tmp_path / "stocklab" / "ui").mkdir(parents=True)
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "one.py").write_text("print(f\"#### {_('Inside')}\", N_('Marked'))\n", encoding="utf-8")
    assert dict(extract_messages(tmp_path)) == {"Inside": ["pages/one.py"], "Marked": ["pages/one.py"]}


def test_every_code_a_run_writes_has_a_name():
    assert {code for code in (*CAUSE_NAMES, *REASON_NAMES) if code} <= set(REASONS)
    assert set(STATUS_NAMES) <= set(STATUSES)


def test_every_category_type_and_unit_has_a_name():
    assert {factor.category for factor in CATALOGUE.values()} <= set(catalogue.CATEGORIES)
    assert {factor.type for factor in CATALOGUE.values()} <= set(catalogue.TYPES)
    assert {factor.unit for factor in CATALOGUE.values()} <= set(catalogue.UNITS)


def test_language_outside_of_a_session_is_korean_unless_said():
    assert text._("Run") == "실행"
    with text.speaking("en"):
        assert text._("Run") == "Run"
        assert text.pick("가", "a") == "a"
    assert text._("a message nobody translated") == "a message nobody translated"


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (FormulaError("Unknown name", text="clsoe > 3", position=0, length=5), "clsoe > 3\n^^^^^"),
        (DocumentError((FieldFault(path="exit.stop.level", code="range", message="too big"),)), "`exit.stop.level`"),
        (InputError("The start is after the end."), "The start is after the end."),
        (ResultNotFound("abc"), "이 결과는 여기에 저장되어 있지 않습니다"),
        (Cancelled("stopped"), "요청에 따라"),
    ],
)
def test_errors_are_said_in_the_users_language(error, shown):
    with text.speaking("ko"):
        words = text.for_error(error)
    assert shown in words
    assert words.startswith("**")
