"""The process in which pykrx lives: JSON lines in, JSON lines out.

pykrx logs in when it is imported, prints to standard output, sets no time limits, keeps half-filled tables for the life
of its process and turns "-" into 0. Here its own table classes are called, whose values are still the text that KRX
sent; the account comes from this process's environment and is taken out of it before the import.

Run as a file, with ``-P``: it imports nothing of ours. See `pykrx.PykrxSession` for the other side.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, TextIO
from urllib.parse import urlsplit

__all__ = ["BLOCKED", "BROKEN", "HTML", "LOGIN", "LOGOUT", "TIMEOUT", "main"]

# kinds of faults in answers
LOGIN: Final = "login"  # the account was refused
LOGOUT: Final = "logout"  # KRX ended the session
BLOCKED: Final = "blocked"  # KRX shows its error page: this address is shut out
HTML: Final = "html"  # something that is no JSON
TIMEOUT: Final = "timeout"  # no answer, or no connection
BROKEN: Final = "broken"  # pykrx itself failed

_PAGE_TITLE: Final = "에러페이지"
_SECONDS: Final = 20.0
_DATA: Final = "/comm/bldAttendant/"
_LOGIN_POST: Final = "/MDCCOMS001D1.cmd"

Table = Callable[..., Any]


class _Refused(Exception):
    """KRX did not answer with data."""

    def __init__(self, fault: str, detail: str = "") -> None:
        self.fault = fault
        self.detail = detail
        super().__init__(fault)


class _Wire:
    """What pykrx's HTTP calls met: counts them, limits their time, and looks at each answer before pykrx does."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.requests = 0
        self.login_code = ""

    def install(self) -> None:
        import requests

        plain = requests.Session.request
        wire = self

        def request(session: Any, method: str, url: str, **options: Any) -> Any:
            wire.requests += 1
            if options.get("timeout") is None:
                options["timeout"] = wire.seconds
            try:
                response = plain(session, method, url, **options)
            except requests.RequestException as error:
                raise _Refused(TIMEOUT, type(error).__name__) from None
            wire.judge(urlsplit(url).path, response)
            return response

        requests.Session.request = request  # type: ignore[method-assign, assignment]

    def judge(self, path: str, response: Any) -> None:
        """Raise where the answer is not what pykrx takes it for."""
        head = response.content[:4000].decode("utf-8", errors="replace").lstrip("\ufeff \r\n\t")
        if head[:6] == "LOGOUT":
            raise _Refused(LOGOUT, f"status {response.status_code}")
        if response.status_code == 403 or _PAGE_TITLE in head:
            raise _Refused(BLOCKED, f"status {response.status_code}")
        if _DATA not in path and not path.endswith(_LOGIN_POST):
            return
        if head[:1] != "{":
            raise _Refused(HTML, f"status {response.status_code}")
        if path.endswith(_LOGIN_POST):
            try:
                self.login_code = str(response.json().get("_error_code", ""))[:10]
            except ValueError:
                raise _Refused(HTML, "cut answer to the log-in") from None


def _tables(base: str) -> tuple[Mapping[str, Table], Callable[[str, str], bool]]:
    """pykrx's tables by name, read from ``base``, and its log-in."""
    from pykrx.website.comm import auth
    from pykrx.website.krx import krxio
    from pykrx.website.krx.market import core

    pages = "/contents/MDC/COMS/client"
    krxio.KrxWebIo.url = property(lambda _: f"{base}/comm/bldAttendant/getJsonData.cmd")
    krxio.KrxFutureIo.url = property(lambda _: f"{base}/comm/bldAttendant/executeForResourceBundle.cmd")
    auth.LOGIN_PAGE = f"{base}{pages}/MDCCOMS001.cmd"
    auth.LOGIN_JSP = f"{base}{pages}/view/login.jsp?site=mdc"
    auth.LOGIN_URL = f"{base}{pages}{_LOGIN_POST}"

    def login(user: str, password: str) -> bool:
        session = auth.build_krx_session(user, password)
        auth.set_auth_session(session)
        return session is not None

    tables: dict[str, Table] = {
        "net_purchases": lambda day, investor: core.투자자별_순매수상위종목().fetch(day, day, "ALL", investor),
        "foreign": lambda day: core.외국인보유량_전종목().fetch(day, "ALL", 0),
        "short_trades": lambda day, market: core.개별종목_공매도_거래_전종목().fetch(day, market, ["STMFRTSCIFDRFS"]),
        "short_balance": lambda day, market: core.전종목_공매도_잔고().fetch(day, market),
        "members": lambda day, index: core.지수구성종목().fetch(day, index[1:], index[0]),
    }
    return tables, login


def _answer(wire: _Wire, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    before = wire.requests
    try:
        answer = work()
    except _Refused as refused:
        answer = {"fault": refused.fault, "detail": refused.detail}
    except Exception as error:  # noqa: BLE001 (whatever pykrx raises is told to the parent, which decides)
        answer = {"fault": BROKEN, "detail": type(error).__name__}
    return {**answer, "requests": wire.requests - before}


def _serve(lines: TextIO, answers: TextIO) -> None:
    user, password = os.environ.pop("KRX_ID", ""), os.environ.pop("KRX_PW", "")
    wire = _Wire(float(os.environ.get("KRX_SECONDS", _SECONDS)))
    loaded: list[Any] = []

    def load() -> dict[str, Any]:
        wire.install()
        loaded.extend(_tables(os.environ["KRX_BASE"].rstrip("/")))
        return {"ready": True}

    def login() -> dict[str, Any]:
        if loaded[1](user, password):
            return {"ok": True}
        raise _Refused(LOGIN, wire.login_code)

    def table(name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        frame = loaded[0][name](**arguments)
        return {
            "rows": [
                # a field that a row lacks is NaN here, and nothing there
                {str(key): value if isinstance(value, str) else None for key, value in row.items()}
                for row in frame.to_dict("records")
            ]
        }

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer, ensure_ascii=False, default=str) + "\n")
        answers.flush()

    say(_answer(wire, load))
    for line in lines:
        asked = json.loads(line)
        if asked["do"] == "login":
            say(_answer(wire, login))
        else:
            name, arguments = asked["table"], asked["arguments"]
            say(_answer(wire, lambda name=name, arguments=arguments: table(name, arguments)))  # type: ignore[misc]


def main() -> None:
    """Answer until the other side closes the pipe. Nothing else reaches its end: what pykrx prints is dropped."""
    with open(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as answers:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(nowhere, stream.fileno())
        _serve(sys.stdin, answers)


if __name__ == "__main__":
    main()
