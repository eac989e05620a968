"""The search against the plain question whether each term stands in the text."""

from __future__ import annotations

import unicodedata

import pytest
from community_home import NOON, comment, post
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from stocklab.community import Comments, Moderation, Posts, Search, SubjectKind, is_in_step, rebuild_search
from stocklab.community.folding import terms
from stocklab.db import Database

# few letters, so that pairs repeat; both widths, both cases, composed and not, beyond the basic plane
LETTERS = "가나다라 주 식 \u1100\u1161 ａA\u0130ß1１ \u3000 \U0001f600\U0001f601 %_\"'\\"
texts = st.text(alphabet=LETTERS, min_size=1, max_size=24)


def plain(words: str) -> str:
    """Folded as the documents say: NFKC, case, blanks drawn together."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", words).casefold()).split())


def naive(asked: list[str], query_terms: tuple[str, ...]) -> list[int]:
    """Texts that hold every term, the newest first."""
    return [
        number for number in reversed(range(len(asked))) if all(term in plain(asked[number]) for term in query_terms)
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(written=st.lists(texts, min_size=1, max_size=12), cut=st.data())
def test_it_finds_what_a_plain_look_finds(people: Database, written: list[str], cut: st.DataObject) -> None:
    with people.write() as session:
        session.execute(text("DELETE FROM posts"))
        for number, words in enumerate(written):
            session.execute(
                text(
                    "INSERT INTO posts (id, owner_id, category, title, body, created_at) "
                    "VALUES (:id, 'ada', 'free', '', :body, :at)"
                ),
                {"id": f"{number:032x}", "body": words, "at": NOON.isoformat()},
            )
    rebuild_search(people)
    source = plain(cut.draw(st.sampled_from(written)))
    begin = cut.draw(st.integers(0, max(0, len(source) - 1)))
    length = cut.draw(st.integers(1, 6))
    query = cut.draw(st.sampled_from([source[begin : begin + length], cut.draw(texts)]))
    wanted = terms(query)
    found = Search(people).find("ben", query, limit=100)
    assert [int(one.post_id, 16) for one in found.found] == (naive(written, wanted) if wanted else [])


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("삼", 2),
        ("삼성", 2),
        ("성전", 2),
        ("삼성전자", 2),
        ("자전", 0),  # both letters are there, not beside each other
        ("배당 성장", 2),
        ('"배당 성장"', 1),
        ("ＰＢＲ", 1),
        ("pbr 저", 1),
        ("100%", 1),
        ("_", 0),
        ("' OR 1=1 --", 0),
        ('" AND grams:*', 0),
        ("", 0),
        ('"  "', 0),
    ],
)
def test_queries_a_reader_may_ask(people: Database, query: str, count: int) -> None:
    post(people, "ada", "삼성전자 배당 성장", "저PBR 100%")
    post(people, "ben", "성장하는 배당, 삼성전자우", minutes=1)
    assert len(Search(people).find("eve", query).found) == count


def test_it_keeps_step_with_every_change(people: Database) -> None:
    def hits(words: str) -> list[tuple[str, str | None]]:
        return [(one.post_id, one.comment_id) for one in Search(people).find("eve", words).found]

    first = post(people, "ada", "코스닥 소형주")
    said = comment(people, "ben", "코스닥이 낫다", post_id=first, minutes=1)
    assert hits("코스닥") == [(first, said), (first, None)]
    Posts(people).edit("ada", first, title="코스피 대형주", body="b")
    Comments(people).edit("ben", said, "코스피가 낫다")
    assert hits("코스닥") == []
    assert hits("코스피") == [(first, said), (first, None)]
    answer = comment(people, "eve", "동의", post_id=first, parent_id=said)
    Comments(people).delete("ben", said)
    assert hits("코스피") == [(first, None)]
    moderation = Moderation(people)
    moderation.hide("root", SubjectKind.COMMENT, answer)
    assert hits("동의") == []
    moderation.unhide("root", SubjectKind.COMMENT, answer)
    moderation.hide("root", SubjectKind.POST, first)
    assert hits("코스피") == hits("동의") == []
    moderation.unhide("root", SubjectKind.POST, first)
    assert hits("동의") == [(first, answer)]
    assert is_in_step(people)
    Posts(people).delete("ada", first)
    assert hits("코스피") == hits("동의") == []
    assert is_in_step(people)


def test_a_rebuild_makes_the_same_from_the_texts(people: Database) -> None:
    first = post(people, "ada", "가치주 모음", "저평가")
    comment(people, "ben", "가치주가 좋다", post_id=first, minutes=1)
    before = [(one.post_id, one.comment_id) for one in Search(people).find("eve", "가치주").found]
    with people.write() as session:  # as after a restore from the other kind of database
        if people.backend == "postgresql":
            session.execute(text("UPDATE search_documents SET grams = NULL"))
        else:
            session.execute(text("INSERT INTO search_grams (search_grams) VALUES ('delete-all')"))
    assert not is_in_step(people)
    assert rebuild_search(people) == 2
    assert is_in_step(people)
    assert [(one.post_id, one.comment_id) for one in Search(people).find("eve", "가치주").found] == before
    post(people, "ada", "가치주 또", minutes=2)  # numbers go on
    assert len(Search(people).find("eve", "가치주").found) == 3


def test_pages_follow_each_other_without_gap_or_repeat(people: Database) -> None:
    post_id = post(people, "ada", "주식 이야기")
    for number in range(45):
        who = ("ada", "ben", "eve")[number % 3]
        comment(people, who, f"주식 {number}" if number % 2 else f"주간 식사 {number}", post_id=post_id, minutes=number)
    seen: list[str | None] = []
    before = None
    while True:
        page = Search(people).find("eve", "주식", before=before, limit=5)
        seen += [one.comment_id for one in page.found]
        before = page.before
        if before is None:
            break
    assert len(seen) == len(set(seen)) == 23  # 22 odd numbers and the post


def test_what_the_newest_lack_is_found_by_the_index(people: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stocklab.community.search._NEWEST", 3)
    monkeypatch.setattr("stocklab.community.search._BATCHES", (2, 3, 100))
    post_id = post(people, "ada", "옛날 이야기")
    for number in range(12):
        comment(people, "ben", f"새 이야기 {number} 날 옛", post_id=post_id, minutes=number)
    found = Search(people).find("eve", "옛날").found
    assert [one.comment_id for one in found] == [None]


def test_a_comment_under_a_publication_is_not_found(people: Database) -> None:
    """An unlisted strategy is known by its link alone."""
    from stocklab.db import PublicationRow

    with people.write() as session:
        values = {
            "version": 1,
            "name": "n",
            "fingerprint": "f" * 64,
            "visibility": "unlisted",
            "metrics": {},
            "curve": {},
        }
        session.add(PublicationRow(id="pub", owner_id="ada", **values))
    comment(people, "ben", "비밀 전략", publication_id="pub")
    assert Search(people).find("ben", "비밀").found == ()
