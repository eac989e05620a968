"""A home full of people, to be photographed: accounts, publications, posts, reports, messages and notices.

`fill` makes it with the services alone, so that nothing stands in it that a person could not have done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from stocklab.accounts import FeedbackKind, NewAccount, NoticeLevel, Scope, User
from stocklab.backtest import RunRequest
from stocklab.community import (
    Category,
    Comments,
    Draft,
    Likes,
    Moderation,
    Posts,
    Reason,
    RecentSymbols,
    Remark,
    SubjectKind,
    Views,
    WatchList,
)
from stocklab.data.engine import run_backtest
from stocklab.db import DisclosureRow, NewsItemRow
from stocklab.portfolios import Lab
from stocklab.ranking import Boards, mark_publications
from stocklab.research.carrying import carrying_capacity
from stocklab.settings import Settings
from stocklab.sharing import Clones, Publications, Wish
from stocklab.sharing import Likes as PublicationLikes
from stocklab.strategy import PRESETS, Strategy

__all__ = ["PASSWORD", "People", "enter", "fill", "found"]

PASSWORD: Final = "seven blue chairs on a hill"
_PRESETS: Final = ("momentum_12_1", "moving_average_cross", "low_volatility", "rsi_reversal")
_NAMES: Final = (
    "가치투자자",
    "퀀트연습생",
    "배당조아",
    "Minji.K",
    "느긋한장기투자",
    "차트보는개미",
    "숨은고수",
    "쉬는사람",
)
_PUBLISHED: Final = datetime(2026, 6, 1, 3, tzinfo=UTC)
_BODY: Final = """지난 10년 동안 **저변동성** 전략을 돌려 봤습니다.

| 구분 | 수익률 | MDD |
|---|---:|---:|
| 전략 | 12.3% | -18.4% |
| KOSPI | 5.1% | -35.7% |

1. 거래대금이 적은 종목은 빼고
2. 매달 한 번만 바꿉니다.

> 과거의 성과가 앞날을 약속하지는 않습니다.

자세한 내용은 https://example.com/notes 에 적었습니다."""


@dataclass(slots=True, kw_only=True)
class People:
    """Who and what can be looked at: session tokens by who holds them, ids by what they are of."""

    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)


def found(home: Path) -> People:
    """An empty home with an admin and a member."""
    lab = Lab.open(Settings(home=home, single_user=False))
    admin, member = _sign_up(lab, 0, "관리하는사람"), _sign_up(lab, 1, _NAMES[0])
    people = People(tokens={"admin": enter(lab, admin), "member": enter(lab, member)})
    lab.close()
    return people


def fill(home: Path) -> People:
    """A home with demo data becomes one that people use."""
    lab = Lab.open(Settings(home=home, single_user=False))
    admin = _sign_up(lab, 0, "관리하는사람")
    members = [_sign_up(lab, number + 1, name) for number, name in enumerate(_NAMES)]
    for number in range(16):  # a second page of accounts
        _sign_up(lab, 100 + number, f"회원 {number + 1:02d}")
    people = People(tokens={"admin": enter(lab, admin), "member": enter(lab, members[0])})
    lab.accounts.sessions.begin(
        members[0].id, address="203.0.113.7", agent="Mozilla/5.0 (iPhone) Safari/604.1", confirmed=False
    )
    people.tokens["other"] = enter(lab, members[3])
    people.tokens["banned"] = enter(lab, members[6])
    _share(lab, admin, members, people)
    _talk(lab, members, people)
    _report(lab, admin, members, people)
    _run_the_house(lab, admin, members)
    _follow(lab, members[0])
    lab.close()
    return people


def _sign_up(lab: Lab, number: int, nickname: str) -> User:
    entered = NewAccount(
        email=f"user{number}@example.com", nickname=nickname, password=PASSWORD, phone=f"010-1234-{number:04d}"
    )
    return lab.accounts.users.sign_up(entered)


def enter(lab: Lab, user: User) -> str:
    """A session of the user; its token."""
    agent = (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"
    )
    return lab.accounts.sessions.begin(user.id, address="198.51.100.20", agent=agent, confirmed=True)


def _ran(lab: Lab, user: User, strategy: Strategy, strategy_id: str | None = None) -> str:
    """A saved strategy of the user with a finished run; its id."""
    saved = lab.strategies.save(user.id, strategy, strategy_id=strategy_id)
    panel = lab.panel()
    request = RunRequest(
        strategy=strategy,
        start=panel.sessions[-900].item(),
        end=panel.sessions[-1].item(),
        initial_cash_krw=100_000_000,
    )
    result = run_backtest(lab.store, lab.results, request, threads=1).result
    lab.runs.record(user.id, result.run_id, request, card=result.card, metrics=result.metrics, strategy_id=saved.id)
    return saved.id


def _share(lab: Lab, admin: User, members: list[User], people: People) -> None:
    boards = Boards(lab.database)
    panel = lab.panel()
    service = Publications(
        lab.database,
        lab.results,
        followers=(boards,),
        capacity=lambda result: carrying_capacity(panel, result),
    )

    def publish(name: str, user: User, strategy: Strategy, days: int, **how: object) -> None:
        wish = Wish(strategy_id=_ran(lab, user, strategy), **how)  # type: ignore[arg-type]
        people.ids[name] = service.publish(user.id, wish, now=_PUBLISHED + timedelta(days=days))

    words = "매달 첫 거래일에 바꿉니다. 거래대금이 적은 종목은 뺐고, 비용을 낸 뒤의 성과입니다."
    strategies = [PRESETS[preset].strategy for preset in _PRESETS]
    publish("open", admin, strategies[0], 0, description=words)
    publish("sealed", members[0], strategies[1], 10, hides_rules=True, description="규칙은 연말에 열겠습니다.")
    publish("anonymous", members[1], strategies[2], 20, is_anonymous=True)
    publish("grave", members[2], strategies[3], 30)
    publish(
        "unlisted",
        members[0],
        strategies[2].model_copy(update={"name": "나만 보는 저변동성"}),
        35,
        visibility="unlisted",
    )
    publish("opened", members[0], strategies[3].model_copy(update={"name": "봉인을 연 전략"}), 40, hides_rules=True)
    mark_publications(lab.database, lab.store, lab.results, threads=1, factor_cache_mb=500)
    service.reveal(members[0].id, people.ids["opened"])
    service.withdraw(members[2].id, people.ids["grave"])
    clone = Clones(lab.database).clone(members[3].id, people.ids["open"])
    changed = clone.strategy().model_copy(update={"name": "모멘텀을 조금 고친 것", "benchmark": "KOSDAQ"})
    wish = Wish(strategy_id=_ran(lab, members[3], changed, clone.id))
    people.ids["clone"] = service.publish(members[3].id, wish)
    # Rules that nobody else ran: runs of the same rules are one run, and the published one opens it to everybody.
    _ran(lab, members[4], strategies[3].model_copy(update={"name": "아무에게도 보이지 않은 것", "benchmark": "KOSDAQ"}))
    for name, user in {"run": members[0], "run_open": admin, "run_private": members[4]}.items():
        people.ids[name] = lab.runs.page(user.id).items[-1].run_id
    for user in members[:4]:
        PublicationLikes(lab.database).like(user.id, people.ids["open"])
    lab.strategies.organize(members[0].id, lab.strategies.list(members[0].id)[0].id, folder="실전", tags=["저변동성"])
    comment = Remark(publication_id=people.ids["open"], body="비용을 얼마로 두셨나요?")
    asked = Comments(lab.database).write(members[0].id, comment)
    Comments(lab.database).write(
        admin.id,
        Remark(publication_id=people.ids["open"], parent_id=asked, body="수수료 0.015%와 세금을 다 넣었습니다."),
    )


def _talk(lab: Lab, members: list[User], people: People) -> None:
    posts, comments, likes = Posts(lab.database), Comments(lab.database), Likes(lab.database)
    now = datetime.now(UTC)
    for number in range(23):
        draft = Draft(
            category=(Category.FREE, Category.QNA, Category.STRATEGY)[number % 3],
            title=f"{number + 1}번째 이야기: 리밸런싱은 얼마나 자주 하시나요?",
            body="분기마다 하다가 매달로 바꿨는데 비용이 꽤 늘었습니다. 다들 어떠신지 궁금합니다.",
            tags=("리밸런싱", "비용"),
            is_anonymous=number % 5 == 0,
        )
        posts.write(members[number % 5].id, draft, now=now - timedelta(hours=30 - number))
    draft = Draft(
        category=Category.STRATEGY,
        title="저변동성 전략, 실전에 쓰기 전에 확인한 세 가지",
        body=_BODY,
        tags=("저변동성", "배당"),
        publication_id=people.ids["open"],
    )
    people.ids["post"] = posts.write(members[0].id, draft, now=now - timedelta(hours=3))
    first = comments.write(
        members[1].id, Remark(post_id=people.ids["post"], body="잘 읽었습니다. **MDD**가 인상적이네요.")
    )
    below = first
    for number in range(6):
        remark = Remark(
            post_id=people.ids["post"],
            parent_id=below,
            body=f"{number + 1}번째 답글입니다.",
            is_anonymous=number % 2 == 0,
        )
        below = comments.write(members[number % 4].id, remark)
    gone = comments.write(members[2].id, Remark(post_id=people.ids["post"], body="지울 댓글"))
    comments.write(members[3].id, Remark(post_id=people.ids["post"], parent_id=gone, body="지워진 댓글에 단 답글"))
    comments.delete(members[2].id, gone)
    for user in members[:4]:
        likes.like_post(user.id, people.ids["post"])
        Views(lab.database).see(user.id, people.ids["post"])
    likes.like_comment(members[0].id, first)


def _report(lab: Lab, admin: User, members: list[User], people: People) -> None:
    moderation, posts = Moderation(lab.database, (Boards(lab.database),)), Posts(lab.database)
    spam = Draft(
        category=Category.FREE,
        title="무조건 오르는 종목 알려 드립니다",
        body="문의는 쪽지로 주세요. 수익률 보장합니다.",
    )
    reported = posts.write(members[6].id, spam)
    people.ids["reported"] = reported
    people.ids["hidden"] = posts.write(
        members[6].id, Draft(category=Category.FREE, title="숨겨질 글", body="광고입니다. 문의 주세요.")
    )
    for user in members[:3]:
        moderation.report(user.id, SubjectKind.POST, reported, Reason.SPAM, note="같은 글을 여러 번 올렸습니다.")
    moderation.report(members[0].id, SubjectKind.PUBLICATION, people.ids["clone"], Reason.COPYRIGHT)
    comment = Comments(lab.database).write(
        members[6].id, Remark(post_id=people.ids["post"], body="이런 건 다 소용없어요. 제 방에 오세요.")
    )
    moderation.report(members[1].id, SubjectKind.COMMENT, comment, Reason.ABUSE, note="광고성 댓글입니다.")
    moderation.hide(admin.id, SubjectKind.POST, people.ids["hidden"])


def _run_the_house(lab: Lab, admin: User, members: list[User]) -> None:
    accounts = lab.accounts
    fault = "백테스트를 돌리면 가끔 ‘다시 시도하세요’가 나옵니다. 어떤 경우에 그런지 알고 싶습니다."
    accounts.feedback.send(members[0].id, FeedbackKind.FAULT, fault, page="builder")
    accounts.feedback.send(members[1].id, FeedbackKind.WISH, "미국 주식도 되면 좋겠습니다.", page="help")
    asked = accounts.feedback.send(members[0].id, FeedbackKind.QUESTION, "데이터는 언제 새로 들어오나요?")
    accounts.feedback.answer(admin.id, asked, "거래일 저녁 6시쯤 들어옵니다.")
    accounts.notices.save(
        admin.id,
        title="11월 30일 새벽 2시부터 30분 동안 점검합니다",
        body="점검하는 동안에는 백테스트를 시작할 수 없습니다. 저장된 결과는 그대로 남습니다.",
        level=NoticeLevel.WARNING,
        shown_until=datetime.now(UTC) + timedelta(days=3),
    )
    accounts.notices.save(
        admin.id, title="공유한 전략의 성과를 매일 다시 잽니다", body="순위 페이지에서 볼 수 있습니다."
    )
    accounts.tokens.create(members[0].id, "집 서버의 보고서", [Scope.ACCOUNT_READ, Scope.RUNS_READ], days=90)
    accounts.administration.ban(admin.id, members[6].id, until=datetime.now(UTC) + timedelta(days=7))
    accounts.administration.set_active(admin.id, members[7].id, active=False)


def _follow(lab: Lab, user: User) -> None:
    panel = lab.panel()
    now, symbols = datetime.now(UTC), panel.symbols
    watch, recent = WatchList(lab.database), RecentSymbols(lab.database)
    for symbol in (symbols[0], symbols[3], "KRW-BTC", "999999"):
        watch.add(user.id, symbol)
        recent.see(user.id, symbol)
    watch.note(user.id, symbols[0], "실적 발표 뒤에 다시 볼 것")
    kinds = ("halt", "dividend", "rights_issue", "preliminary_results")
    with lab.database.write() as session:
        for number in range(28):
            symbol = symbols[number % 7]
            session.add(
                DisclosureRow(
                    filing_no=f"20261128{number:06d}",
                    symbol=symbol,
                    title=("주권매매거래정지", "현금ㆍ현물배당결정", "유상증자결정", "영업(잠정)실적(공정공시)")[
                        number % 4
                    ],
                    kind=kinds[number % 4],
                    published_on=now.date() - timedelta(days=number // 6),
                    first_seen_at=now - timedelta(hours=number),
                )
            )
            session.add(
                NewsItemRow(
                    key=f"{number:064x}",
                    symbol=symbol,
                    title="반도체 업황 회복에 3분기 영업이익 시장 기대를 웃돌아…증권가 목표주가 잇달아 올려",
                    link=f"https://news.example.com/{number}",
                    published_at=now - timedelta(hours=3 * number),
                    first_seen_at=now - timedelta(hours=3 * number),
                )
            )
