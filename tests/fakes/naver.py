"""Naver's news search on a loopback socket: the API HUB and the Developers Center, with their own errors."""

from __future__ import annotations

import json
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from fakes.socket_server import Asked, Reply, SocketServer

HUB_PATH, LEGACY_PATH = "/search/v1/news", "/v1/search/news.json"


class FakeNaver(SocketServer):
    """``items`` are served newest first, a page at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.identity = ("id", "secret")
        self.items: list[dict[str, Any]] = []
        self.quota = 25_000
        self.throttled = 0  # answers "rate limited" so many times

    def answer(self, asked: Asked) -> Reply:
        hub = asked.path == HUB_PATH
        if not hub and asked.path != LEGACY_PATH:
            return self._error(hub, 404, "300", "Not Found")
        names = (
            ("x-ncp-apigw-api-key-id", "x-ncp-apigw-api-key") if hub else ("x-naver-client-id", "x-naver-client-secret")
        )
        if tuple(asked.headers.get(name, "") for name in names) != self.identity:
            return self._error(hub, 401, "200" if hub else "024", "Authentication Failed")
        if len(self.asked) > self.quota:
            return self._error(hub, 429, "400" if hub else "010", "Quota Exceeded")
        if self.throttled:
            self.throttled -= 1
            return self._error(hub, 429, "420" if hub else "012", "Rate Limited")
        display, start = int(asked.params.get("display", "10")), int(asked.params.get("start", "1"))
        if not 1 <= display <= 100 or start + display - 1 > 1000 or not asked.params.get("query"):
            return self._error(hub, 400, "SE01", "Incorrect query request")
        body = {
            "lastBuildDate": "Mon, 23 Nov 2026 09:00:00 +0900",
            "total": len(self.items),
            "start": start,
            "display": display,
            "items": self.items[start - 1 : start - 1 + display],
        }
        return Reply(json.dumps(body, ensure_ascii=False).encode())

    def _error(self, hub: bool, status: int, code: str, message: str) -> Reply:
        body: dict[str, Any] = {"errorMessage": message, "errorCode": code}
        if hub:
            body = {"error": {"errorCode": code, "message": message, "details": "..."}}
        return Reply(json.dumps(body).encode(), status=status, headers={"Retry-After": "0"} if status == 429 else {})


def article(number: int, title: str = "<b>삼성전자</b> 소식", *, at: datetime) -> dict[str, str]:
    """An item of the answer, with the tags that the service puts around what was searched."""
    return {
        "title": f"{title} {number}",
        "originallink": f"https://press.example/{number}",
        "link": f"https://n.news.naver.com/{number}",
        "description": "요약",
        "pubDate": format_datetime(at),
    }
