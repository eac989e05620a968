"""OpenDART on a loopback socket: the services and statuses of its developer guide."""

from __future__ import annotations

import io
import json
import zipfile
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fakes.socket_server import Asked, Reply, SocketServer

KEY = "k" * 40
MESSAGES = {
    "000": "정상",
    "010": "등록되지 않은 키입니다.",
    "013": "조회된 데이타가 없습니다.",
    "020": "요청 제한을 초과하였습니다.",
    "021": "조회 가능한 회사 개수가 초과하였습니다.(최대 100건)",
    "100": "필드의 부적절한 값입니다.",
    "800": "시스템 점검으로 인한 서비스가 중지 중입니다.",
    "900": "정의되지 않은 오류가 발생하였습니다.",
}
# account name of the main accounts -> names under which the full statements show it
MAIN = {
    "유동자산": {"유동자산"},
    "비유동자산": {"비유동자산"},
    "자산총계": {"자산총계"},
    "유동부채": {"유동부채"},
    "비유동부채": {"비유동부채"},
    "부채총계": {"부채총계"},
    "자본금": {"자본금"},
    "이익잉여금": {"이익잉여금"},
    "자본총계": {"자본총계"},
    "매출액": {"매출액", "수익(매출액)", "영업수익"},
    "영업이익": {"영업이익"},
    "법인세차감전 순이익": {"법인세비용차감전순이익"},
    "당기순이익(손실)": {"당기순이익", "분기순이익", "반기순이익"},
}


@dataclass(frozen=True)
class Line:
    """A line of a full statement; amounts as the service writes them."""

    sj: str
    account_id: str
    name: str
    amount: str
    to_date: str = ""
    prior: str = ""
    prior_quarter: str = ""
    prior_to_date: str = ""


@dataclass(frozen=True)
class Report:
    """One version of one report."""

    corp: str
    year: str
    code: str
    receipt: str
    start: str  # 2024.01.01
    end: str
    lines: dict[str, Sequence[Line]]  # by fs_div
    title: str = ""
    currency: str = "KRW"
    dividends: Sequence[dict[str, str]] = ()
    shares: Sequence[dict[str, str]] = ()
    main: Sequence[dict[str, str]] | None = None  # rows as they are, instead of those made of the lines


@dataclass(eq=False)
class FakeDart(SocketServer):
    """Holds companies and reports; serves the version received last by ``today``."""

    quota: int = 20_000
    today: str = "99991231"
    corps: dict[str, dict[str, str]] = field(default_factory=dict)
    reports: list[Report] = field(default_factory=list)
    others: list[dict[str, str]] = field(default_factory=list)  # filings that are no periodic reports
    statuses: deque[str] = field(default_factory=deque)
    echo_key: bool = False
    cut_zip: bool = False
    bad_total: bool = False
    drop_field: str = ""

    def __post_init__(self) -> None:
        SocketServer.__init__(self, slow_seconds=1.0)

    def company(self, corp: str, symbol: str, name: str = "회사", modified: str = "20250101") -> None:
        self.corps[f"{corp}/{symbol}/{modified}"] = {
            "corp_code": corp,
            "corp_name": name,
            "corp_eng_name": "Co",
            "stock_code": symbol,
            "modify_date": modified,
        }

    def answer(self, asked: Asked) -> Reply:
        service, _, ending = asked.path.removeprefix("/api/").partition(".")
        status = self._status(asked, service)
        if status != "000":
            text = MESSAGES.get(status, "?") + (f" {asked.params.get('crtfc_key')}" if self.echo_key else "")
            if ending == "xml":
                body = f"<?xml version='1.0'?><result><status>{status}</status><message>{text}</message></result>"
                return Reply(body.encode(), "application/xml;charset=UTF-8")
            return self._json({"status": status, "message": text})
        if service == "corpCode":
            return self._zip()
        found = getattr(self, f"_{service}")(asked.params)
        if found is None:
            return self._json({"status": "013", "message": MESSAGES["013"]})
        if self.drop_field:
            for row in found.get("list", []):
                row.pop(self.drop_field, None)
        return self._json({"status": "000", "message": MESSAGES["000"], **found})

    def _status(self, asked: Asked, service: str) -> str:
        if self.statuses:
            return self.statuses.popleft()
        if asked.params.get("crtfc_key") != KEY:
            return "010"
        if len(self.asked) > self.quota:
            return "020"
        if service == "fnlttMultiAcnt" and len(asked.params.get("corp_code", "").split(",")) > 100:
            return "021"
        if service == "fnlttSinglAcntAll" and asked.params.get("fs_div") not in {"CFS", "OFS"}:
            return "100"
        return "000"

    def _json(self, body: dict[str, Any]) -> Reply:
        return Reply(json.dumps(body, ensure_ascii=False).encode())

    def _zip(self) -> Reply:
        rows = [
            "<list>" + "".join(f"<{name}>{value or ' '}</{name}>" for name, value in corp.items()) + "</list>"
            for corp in self.corps.values()
        ]
        text = f"<?xml version='1.0' encoding='UTF-8'?>\n<result>{''.join(rows)}</result>"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("CORPCODE.xml", text)
        body = packed.getvalue()
        return Reply(body[: len(body) // 2] if self.cut_zip else body, "application/x-msdownload")

    def _latest(self, corp: str, params: dict[str, str]) -> Report | None:
        found = [
            one
            for one in self.reports
            if (one.corp, one.year, one.code) == (corp, params.get("bsns_year"), params.get("reprt_code"))
            and one.receipt[:8] <= self.today
        ]
        return max(found, key=lambda one: one.receipt) if found else None

    def _fnlttMultiAcnt(self, params: dict[str, str]) -> dict[str, Any] | None:
        rows: list[dict[str, Any]] = []
        for corp in params["corp_code"].split(","):
            report = self._latest(corp, params)
            if report is not None:
                rows += [{**row, "corp_code": corp} for row in self._main(report)]
        return {"list": rows} if rows else None

    def _fnlttSinglAcnt(self, params: dict[str, str]) -> dict[str, Any] | None:
        report = self._latest(params["corp_code"], params)
        return {"list": list(self._main(report))} if report is not None else None

    def _main(self, report: Report) -> Iterable[dict[str, Any]]:
        if report.main is not None:
            return [dict(row) for row in report.main]
        rows = []
        symbol = next(corp["stock_code"] for corp in self.corps.values() if corp["corp_code"] == report.corp)
        for basis, lines in report.lines.items():
            for name, shown in MAIN.items():
                line = next((one for one in lines if one.name in shown and one.sj in {"BS", "IS", "CIS"}), None)
                if line is None:
                    continue
                flow = line.sj != "BS"
                rows.append(
                    {
                        "rcept_no": report.receipt,
                        "reprt_code": report.code,
                        "bsns_year": report.year,
                        "stock_code": symbol,
                        "fs_div": basis,
                        "fs_nm": "연결재무제표" if basis == "CFS" else "재무제표",
                        "sj_div": "IS" if flow else "BS",
                        "sj_nm": "손익계산서" if flow else "재무상태표",
                        "account_nm": name,
                        "thstrm_nm": "당기",
                        "thstrm_dt": f"{report.start} ~ {report.end}" if flow else f"{report.end} 현재",
                        "thstrm_amount": line.amount,
                        **({"thstrm_add_amount": line.to_date} if line.to_date else {}),
                        "ord": str(len(rows) + 1),
                        "currency": report.currency,
                    }
                )
        return rows

    def _fnlttSinglAcntAll(self, params: dict[str, str]) -> dict[str, Any] | None:
        report = self._latest(params["corp_code"], params)
        if report is None or params["fs_div"] not in report.lines:
            return None
        rows = []
        for place, line in enumerate(report.lines[params["fs_div"]], start=1):
            row = {
                "rcept_no": report.receipt,
                "reprt_code": report.code,
                "bsns_year": report.year,
                "corp_code": report.corp,
                "sj_div": line.sj,
                "sj_nm": line.sj,
                "account_id": line.account_id,
                "account_nm": line.name,
                "account_detail": "-",
                "thstrm_nm": "당기",
                "thstrm_amount": line.amount,
                "ord": str(place),
                "currency": report.currency,
            }
            for name, value in (
                ("thstrm_add_amount", line.to_date),
                ("frmtrm_amount", line.prior),
                ("frmtrm_q_amount", line.prior_quarter),
                ("frmtrm_add_amount", line.prior_to_date),
            ):
                row |= {name: value} if value else {}
            rows.append(row)
        return {"list": rows}

    def _alotMatter(self, params: dict[str, str]) -> dict[str, Any] | None:
        return self._table(params, "dividends")

    def _stockTotqySttus(self, params: dict[str, str]) -> dict[str, Any] | None:
        return self._table(params, "shares")

    def _table(self, params: dict[str, str], name: str) -> dict[str, Any] | None:
        report = self._latest(params["corp_code"], params)
        rows = getattr(report, name) if report is not None else ()
        if not rows:
            return None
        return {"list": [{"rcept_no": report.receipt, "corp_code": report.corp, **row} for row in rows]}

    def _list(self, params: dict[str, str]) -> dict[str, Any] | None:
        rows = []
        for report in self.reports:
            if report.title and report.receipt[:8] <= self.today:
                corp = next(one for one in self.corps.values() if one["corp_code"] == report.corp)
                rows.append(
                    {
                        "corp_code": report.corp,
                        "corp_name": corp["corp_name"],
                        "stock_code": corp["stock_code"],
                        "corp_cls": "Y",
                        "report_nm": report.title,
                        "rcept_no": report.receipt,
                        "flr_nm": corp["corp_name"],
                        "rcept_dt": report.receipt[:8],
                        "rm": "",
                        "_ty": "A",
                    }
                )
        rows += self.others
        begin, end = params["bgn_de"], params["end_de"]
        rows = [row for row in rows if begin <= row["rcept_dt"] <= end]
        if params.get("pblntf_ty"):
            rows = [row for row in rows if row["_ty"] == params["pblntf_ty"]]
        if params.get("pblntf_detail_ty"):
            rows = [row for row in rows if row.get("_detail") == params["pblntf_detail_ty"]]
        rows.sort(key=lambda row: row["rcept_no"], reverse=params.get("sort_mth", "desc") == "desc")
        if not rows:
            return None
        size, page = int(params.get("page_count", "10")), int(params.get("page_no", "1"))
        shown = rows[(page - 1) * size : page * size]
        if not shown:
            return None
        return {
            "page_no": page,
            "page_count": size,
            "total_count": len(rows) + self.bad_total,
            "total_page": -(-len(rows) // size),
            "list": [{name: value for name, value in row.items() if not name.startswith("_")} for row in shown],
        }


def filing_row(number: int, title: str, *, day: str, symbol: str = "005930") -> dict[str, str]:
    """A row of the list of filings; ``_ty`` is its type, which the service filters by and does not answer."""
    return {
        "corp_code": "00126380",
        "corp_name": "회사",
        "stock_code": symbol,
        "corp_cls": "Y",
        "report_nm": title,
        "rcept_no": f"{day}{number:06}",
        "flr_nm": "회사",
        "rcept_dt": day,
        "rm": "",
        "_ty": "B",
    }
