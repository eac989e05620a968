"""What a person who leaves takes back is gone from lists, search and disk, and others' words stay."""

from __future__ import annotations

from community_home import comment, post
from sqlalchemy import select

from stocklab.community import PostLists, Search, Threads, is_in_step, take_back_words
from stocklab.db import Base, Database


def test_words_taken_back_are_nowhere(people: Database) -> None:
    mine = post(people, "ada", "사라질 제목", "사라질 본문", tags=("사라질",))
    other = post(people, "ben", "남는 글", "남는 본문")
    comment(people, "ada", "사라질 댓글", post_id=other)
    answered = comment(people, "ada", "사라질 물음", post_id=other, minutes=1)
    comment(people, "ben", "남는 답", post_id=other, parent_id=answered, minutes=2)
    comment(people, "ben", "남의 말", post_id=mine, minutes=3)
    assert take_back_words(people, "ada") == 3
    assert take_back_words(people, "ada") == 0
    assert [one.id for one in PostLists(people).newest("eve").posts] == [other]
    assert Search(people).find("eve", "사라질").found == ()
    assert [one.body for one in Threads(people).page("eve", post_id=other).comments] == ["", "남는 답"]
    assert is_in_step(people)
    with people.engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            assert "사라질" not in repr(connection.execute(select(table)).all()), table.name
