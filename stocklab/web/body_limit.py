"""Bodies of requests are bounded, whether they say their size or not."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["BodyLimit"]


class _TooLarge(HTTPException):
    def __init__(self) -> None:
        super().__init__(413, "The body is too large.")


class BodyLimit:
    """Answers 413 to a body of more than ``most_bytes``, and closes the connection instead of reading the rest.

    A body that says its size is refused before it is read; one in chunks as soon as it is over.
    """

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self.app = app
        self.most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one HTTP request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if _said(scope) > self.most_bytes:
            await _refuse(scope, receive, send)
            return
        read = 0
        ended = not _has_body(scope)
        over = started = False

        async def counted() -> Message:
            nonlocal read, over, ended
            message = await receive()
            read += len(message.get("body", b""))
            ended = ended or not message.get("more_body", False)
            if read > self.most_bytes:
                over = True
                raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            if over and not started:
                return  # whatever the app makes of the cut body, the answer is below
            started = True
            if message["type"] == "http.response.start" and not ended:
                MutableHeaders(scope=message)["Connection"] = "close"  # an early answer: what follows is not read
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except _TooLarge:
            if started:
                raise
        if over and not started:
            await _refuse(scope, receive, send)


def _said(scope: Scope) -> int:
    """The size a request says its body has; 0 where it says none that can be read."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0")
        for name, value in scope["headers"]
    )


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    headers = {"Connection": "close", "Cache-Control": "no-store"}
    await PlainTextResponse("The body is too large.\n", status_code=413, headers=headers)(scope, receive, send)
