"""What the pages in front take: bounded forms, and a bounded number of costly password checks at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from stocklab.errors import StockLabError
from stocklab.ui.text import Language, default_language

__all__ = ["Busy", "Gate", "NotAForm", "address_of", "language_of", "read_form"]

_MOST_BYTES: Final = 16_000
_MOST_FIELDS: Final = 20
_Answer = TypeVar("_Answer")


class NotAForm(StockLabError):
    """A body that none of our pages sends."""


class Busy(StockLabError):
    """Too many password checks wait already."""


class Gate:
    """Runs password checks in threads, two at a time; refuses when fifty wait."""

    def __init__(self, at_once: int = 2, waiting: int = 50) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._most = waiting
        self._waiting = 0

    async def run(self, work: Callable[..., _Answer], *arguments: Any, **named: Any) -> _Answer:
        """The answer of the work.

        Raises
        ------
        Busy
            Too many wait.
        """
        if self._waiting >= self._most:
            raise Busy("Too many log-ins at this moment.")
        self._waiting += 1
        try:
            async with self._turns:
                return await run_in_threadpool(work, *arguments, **named)
        finally:
            self._waiting -= 1


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a small form, each once.

    Raises
    ------
    NotAForm
        It has another type, is larger than 16 kB, or repeats a field.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise NotAForm("Expected a form.")
    body = bytearray()
    async for piece in request.stream():
        body.extend(piece)
        if len(body) > _MOST_BYTES:
            raise NotAForm("The form is too large.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="replace")
    except ValueError as error:
        raise NotAForm("The form cannot be read.") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise NotAForm("The form repeats a field.")
    return {name: value.replace("\0", "") for name, value in form.items()}


def language_of(asked: str | None) -> Language:
    """The language asked for, else the setting's."""
    return "en" if asked == "en" else "ko" if asked == "ko" else default_language()


def address_of(request: Request) -> str:
    """The client's address, as the server knows it (behind a trusted proxy, the one it forwards)."""
    return request.client.host if request.client is not None else ""
