"""Who gets a seat, with a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from stocklab.counts import ProcessCounts
from stocklab.web.admission import COOKIE, Admission

Message = dict[str, Any]


async def _app(
    scope: Any, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": int(scope["path"][-3:]), "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    await receive()
    await send({"type": "websocket.accept"})
    await scope["hold"].wait()


class Visitor:
    """A browser: its cookie, and its open session."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.cookie = ""
        self.holds: list[asyncio.Event] = []
        self.tasks: list[asyncio.Task[None]] = []

    def _headers(self) -> list[tuple[bytes, bytes]]:
        return [(b"cookie", f"other=1; {self.cookie}".encode())] if self.cookie else []

    async def page(self, path: str = "/200", scheme: str = "http") -> int:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": path, "scheme": scheme, "headers": self._headers()}
        await self.admission(scope, lambda: asyncio.sleep(0), send)  # type: ignore[arg-type]
        for name, value in sent[0]["headers"]:
            if name == b"set-cookie":
                assert (b"Secure" in value) == (scheme == "https")
                self.cookie = value.decode().split(";")[0]
        return int(sent[0]["status"])

    async def session(self) -> str:
        sent: list[Message] = []
        hold = asyncio.Event()

        async def send(message: Message) -> None:
            sent.append(message)

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        scope = {"type": "websocket", "path": "/_stcore/stream", "headers": self._headers(), "hold": hold}
        task = asyncio.create_task(self.admission(scope, receive, send))  # type: ignore[arg-type]
        await asyncio.sleep(0.001)
        if sent[0]["type"] == "websocket.accept":
            self.holds.append(hold)
            self.tasks.append(task)
        return str(sent[0]["type"])

    async def leave(self) -> None:
        for hold in self.holds:
            hold.set()
        for task in self.tasks:
            await task
        self.holds.clear()
        self.tasks.clear()


def play(scene: Callable[[Admission, list[float]], Awaitable[None]], most: int) -> ProcessCounts:
    now = [0.0]
    counts = ProcessCounts()
    asyncio.run(scene(Admission(_app, most=most, counts=counts, clock=lambda: now[0]), now))  # type: ignore[arg-type]
    return counts


def test_a_page_holds_a_place_until_its_session_comes_but_not_for_ever() -> None:
    async def scene(admission: Admission, now: list[float]) -> None:
        first, second = Visitor(admission), Visitor(admission)
        assert await first.page() == 200
        assert await second.page() == 503  # the only place is promised
        now[0] += 21
        assert await second.page() == 200  # the first never came
        assert await second.session() == "websocket.accept"
        assert await first.page() == 503
        assert await first.session() == "websocket.close"
        await second.leave()

    assert play(scene, most=1).newcomers_turned_away == 3


def test_who_is_inside_comes_back_after_a_break_and_a_left_place_is_free() -> None:
    async def scene(admission: Admission, now: list[float]) -> None:
        inside, newcomer = Visitor(admission), Visitor(admission)
        await inside.page()
        await inside.session()
        await inside.leave()
        now[0] += 100
        assert await newcomer.page() == 200  # nobody holds a session now
        assert await newcomer.session() == "websocket.accept"
        assert await inside.session() == "websocket.accept"  # a broken line is no reason to lose one's place
        await inside.leave()
        now[0] += 121
        assert await inside.page() == 503
        await newcomer.leave()

    play(scene, most=1)


def test_one_browser_has_no_more_than_eight_tabs_and_a_failed_page_holds_nothing() -> None:
    async def scene(admission: Admission, now: list[float]) -> None:
        visitor = Visitor(admission)
        assert await visitor.page("/500") == 500
        assert visitor.cookie == ""
        await visitor.page("/200", scheme="https")
        assert visitor.cookie.startswith(f"{COOKIE}=")
        assert [await visitor.session() for _ in range(9)] == ["websocket.accept"] * 8 + ["websocket.close"]
        stranger = Visitor(admission)
        assert await stranger.session() == "websocket.accept"  # no cookie: a place of its own
        await stranger.leave()
        await visitor.leave()

    play(scene, most=9)
