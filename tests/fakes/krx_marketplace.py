"""The KRX Data Marketplace on a loopback socket, as the real pykrx meets it: log-in, tables, refusals."""

from __future__ import annotations

import json
import threading
from typing import Any
from urllib.parse import parse_qsl

from fakes.socket_server import Asked, Reply, SocketServer

STANDARD, SHORT = "dbms/MDC/STAT/standard/", "dbms/MDC/STAT/srt/"
DATA = "/comm/bldAttendant/getJsonData.cmd"
LOGIN = "/contents/MDC/COMS/client/MDCCOMS001D1.cmd"
BLOCK_PAGE = "<!DOCTYPE html><html><head><title>에러페이지 - 한국거래소</title></head><body>...</body></html>"


class FakeKrx(SocketServer):
    """``holidays`` are days (YYYYMMDD) on which the exchange was closed; ``symbols`` are listed on all of them."""

    def __init__(self) -> None:
        super().__init__(slow_seconds=5.0)
        self.user, self.password = "person", "pass word&1"
        self.login_answer = ""  # an error code instead of the check
        self.in_use = False  # the account is logged in elsewhere
        self.logged_out = False
        self.blocked = False
        self.block_status = 403
        self.holidays: set[str] = set()
        self.symbols = [f"{number:05}0" for number in range(1, 400)] + ["0015G0", "00680K"]
        self.dashes: set[str] = set()  # symbols without numbers
        self.empty: set[str] = set()  # tables (ends of bld) without rows
        self.replaced: dict[str, str] = {}  # bld end -> body
        self.big = 0
        self.sessions: set[str] = set()
        self.ours = threading.Lock()

    @property
    def data(self) -> list[Asked]:
        return [one for one in self.asked if one.path == DATA]

    @property
    def logins(self) -> list[Asked]:
        return [one for one in self.asked if one.path == LOGIN]

    def answer(self, asked: Asked) -> Reply:
        if self.blocked:
            return Reply(BLOCK_PAGE.encode(), "text/html; charset=utf-8", status=self.block_status)
        if asked.path.endswith(("/MDCCOMS001.cmd", "/view/login.jsp")):
            number = f"S{len(self.asked)}"
            return Reply(b"<html>log in</html>", "text/html", headers={"Set-Cookie": f"JSESSIONID={number}; Path=/"})
        if asked.path == LOGIN:
            return self._json(self._login(asked))
        if asked.path == DATA:
            cookie = dict(parse_qsl(asked.headers.get("cookie", "").replace("; ", "&")))
            if self.logged_out or cookie.get("JSESSIONID") not in self.sessions:
                return Reply(b"LOGOUT", "text/html; charset=utf-8", status=400)
            form = asked.form
            end = form["bld"].rsplit("/", 1)[-1]
            if end in self.replaced:
                return Reply(self.replaced[end].encode(), "text/html; charset=utf-8")
            return self._json(self._table(end, form))
        return Reply(b"not found", "text/plain", status=404)

    def _json(self, body: dict[str, Any]) -> Reply:
        return Reply(json.dumps(body, ensure_ascii=False).encode(), "text/html; charset=utf-8")

    def _login(self, asked: Asked) -> dict[str, Any]:
        form = asked.form
        if self.login_answer:
            return {"_error_code": self.login_answer, "_error_message": "x"}
        if (form["mbrId"], form["pw"]) != (self.user, self.password):
            return {"_error_code": "CD005", "_error_message": "아이디 또는 비밀번호"}
        if self.in_use and form.get("skipDup") != "Y":
            return {"_error_code": "CD011", "_error_message": "중복 로그인"}
        cookie = dict(parse_qsl(asked.headers.get("cookie", "").replace("; ", "&")))
        self.sessions = {cookie["JSESSIONID"]}  # one account, one session
        return {"_error_code": "CD001", "_error_message": "정상"}

    def _table(self, end: str, form: dict[str, str]) -> dict[str, Any]:
        day = form.get("trdDd") or form["strtDd"]
        closed = day in self.holidays
        name = "OutBlock_1" if end.startswith("MDCSTAT3") else "output"
        rows: list[dict[str, str]] = []
        if end == "MDCSTAT03701":
            # a holiday has every row and no number
            rows = [self._foreign(place, symbol, closed) for place, symbol in enumerate(self.symbols)]
        elif not closed and end not in self.empty:
            rows = list(getattr(self, f"_{end}")(form))
        if end in self.empty:
            rows = []
        return {name: rows, "CURRENT_DATETIME": "2026.11.26 PM 08:29:42"}

    def _foreign(self, place: int, symbol: str, closed: bool) -> dict[str, str]:
        none = closed or symbol in self.dashes
        return {
            "ISU_SRT_CD": symbol,
            "ISU_ABBRV": "이름",
            "TDD_CLSPRC": "-" if none else "1,000",
            "LIST_SHRS": "5,969,782,550",
            "FORN_HD_QTY": "-" if none else f"{self.big + place:,}",
            "FORN_SHR_RT": "-" if none else "57.17",
            "FORN_ORD_LMT_QTY": "-" if none else "5,969,782,550",
            "FORN_LMT_EXHST_RT": "-" if none else "57.17",
        }

    def _MDCSTAT02401(self, form: dict[str, str]) -> list[dict[str, str]]:
        code = int(form["invstTpCd"])
        shown = self.symbols[:3] if code == 9001 else self.symbols
        return [
            {
                "ISU_SRT_CD": symbol,
                "ISU_NM": "이름",
                "ASK_TRDVOL": "1",
                "BID_TRDVOL": "1",
                "NETBID_TRDVOL": "0",
                "ASK_TRDVAL": "1",
                "BID_TRDVAL": "1",
                "NETBID_TRDVAL": "-" if symbol in self.dashes else f"{(code * 1_000_000 + place) * (-1) ** place:,}",
            }
            for place, symbol in enumerate(shown)
        ]

    def _half(self, market: str) -> list[str]:
        return self.symbols[::2] if market in {"STK", "1"} else self.symbols[1::2]

    def _MDCSTAT30101(self, form: dict[str, str]) -> list[dict[str, str]]:
        assert form["inqCond"] == "STMFRTSCIFDRFS"
        return [
            {
                "ISU_CD": symbol,
                "ISU_ABBRV": "이름",
                "SECUGRP_NM": "주권",
                "CVSRTSELL_TRDVOL": "-" if symbol in self.dashes else "18,502",
                "ACC_TRDVOL": "8,453,962",
                "TRDVOL_WT": "0.22",
                "CVSRTSELL_TRDVAL": "1",
                "ACC_TRDVAL": "2",
                "TRDVAL_WT": "0.22",
            }
            for symbol in self._half(form["mktId"])
        ]

    def _MDCSTAT30501(self, form: dict[str, str]) -> list[dict[str, str]]:
        return [
            {
                "ISU_CD": symbol,
                "ISU_ABBRV": "이름",
                "BAL_QTY": "-" if symbol in self.dashes else "3,055,000,000",
                "LIST_SHRS": "46,822,295",
                "BAL_AMT": "134,864,400",
                "MKTCAP": "191,034,963,600",
                "BAL_RTO": "0.07",
            }
            for symbol in self._half(form["mktTpCd"])
        ]

    def _MDCSTAT00601(self, form: dict[str, str]) -> list[dict[str, str]]:
        wanted = {("028", "1"): 200, ("203", "2"): 150}[form["indIdx2"], form["indIdx"]]
        names = ("TDD_CLSPRC", "FLUC_TP_CD", "STR_CMP_PRC", "FLUC_RT", "MKTCAP")
        chosen = self.symbols[:200] if wanted == 200 else self.symbols[200:350]
        return [{"ISU_SRT_CD": symbol, "ISU_ABBRV": "이름", **dict.fromkeys(names, "1")} for symbol in chosen]
