"""Rows of Kiwoom's lists as its guide shows them: blanks, signs, paddings and prefixes included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from fakes.exchange import KST, Exchange, Fill, Order

NO_ORDER = "0000000"
_VALIDITY = {"day": "", "ioc": "(IOC)", "fok": "(FOK)"}


@dataclass(slots=True, kw_only=True)
class Habits:
    """What the guide leaves open; an adapter must be right whichever is true."""

    rows_per_fill: bool = False  # ka10076: one row for each fill, or one for an order with its average
    rounds_average: bool = False  # averages are rounded to the won, or cut
    rest_stays: bool = False  # kt00007 leaves the rest beside an order that died at the close
    lists_cancels_open: bool = False  # ka10075 shows a cancel that waits as a row of its own
    no_key_when_empty: bool = False  # an empty list has no key at all


def padded(value: Decimal, width: int) -> str:
    """``000000713100``, and ``-00000713100`` below zero."""
    return str(int(value)).zfill(width)


def signed(value: Decimal, base: Decimal) -> str:
    """A price whose sign is its colour against the last close."""
    return f"{'-' if value < base else '+'}{int(value)}"


def of_day(orders: list[Order], day: date) -> list[Order]:
    return [order for order in orders if order.day == day]


def _average(order: Order, habits: Habits) -> Decimal:
    if not order.filled:
        return Decimal(0)
    exact = order.amount / order.filled
    return exact.to_integral_value("ROUND_HALF_UP" if habits.rounds_average else "ROUND_DOWN")


def _kind(order: Order) -> str:
    return ("시장가" if order.limit is None else "보통") + _VALIDITY[order.validity]


def _side(order: Order) -> str:
    return "매수" if order.buys else "매도"


def _ended_part(order: Order) -> Decimal:
    """What a cancel took away."""
    return order.rest if order.ended else Decimal(0)


def journal_rows(exchange: Exchange, day: date, habits: Habits) -> Iterator[dict[str, Any]]:
    """kt00007 in the sequence of numbers; a cancel is a row of its own."""
    rows = []
    for order in of_day(exchange.journal(), day):
        rows.append(_journal_row(exchange, order, habits))
        if order.cancel_number is not None:
            rows.append(_journal_cancel(exchange, order))
    yield from sorted(rows, key=lambda row: row["ord_no"])


def _journal_row(exchange: Exchange, order: Order, habits: Habits) -> dict[str, Any]:
    assert order.quantity is not None
    stays = habits.rest_stays and not exchange.is_open and order.cancel_number is None and order.validity == "day"
    rest = order.rest if not order.ended or (stays and order.refusal is None) else Decimal(0)
    return {
        "ord_no": order.number,
        "stk_cd": "A" + order.symbol,
        "trde_tp": _kind(order),
        "crd_tp": "보통매매",
        "ord_qty": padded(order.quantity, 10),
        "ord_uv": padded(order.limit or Decimal(0), 10),
        "cnfm_qty": padded(Decimal(0), 10),
        "acpt_tp": "거부" if order.refusal else "접수",
        "rsrv_tp": "",
        "ord_tm": order.placed_at.astimezone(KST).strftime("%H:%M:%S"),
        "ori_ord": NO_ORDER,
        "stk_nm": exchange.listings[order.symbol].name,
        "io_tp_nm": "현금" + _side(order),
        "loan_dt": "",
        "cntr_qty": padded(order.filled, 10),
        "cntr_uv": padded(_average(order, habits), 10),
        "ord_remnq": padded(rest, 10),
        "comm_ord_tp": "영웅문4" if order.by_hand else "REST API",
        "mdfy_cncl": "",
        "cnfm_tm": "",
        "dmst_stex_tp": "KRX",
        "cond_uv": padded(Decimal(0), 10),
    }


def _journal_cancel(exchange: Exchange, order: Order) -> dict[str, Any]:
    row = _journal_row(exchange, order, Habits())
    took = _ended_part(order)
    return row | {
        "ord_no": order.cancel_number,
        "ord_qty": padded(took or order.rest, 10),
        "cnfm_qty": padded(took, 10),
        "acpt_tp": "거부" if order.ended and not took else "접수",
        "ori_ord": order.number,
        "io_tp_nm": f"현금{_side(order)}취소",
        "cntr_qty": padded(Decimal(0), 10),
        "cntr_uv": padded(Decimal(0), 10),
        "ord_remnq": padded(Decimal(0), 10),
        "mdfy_cncl": "취소",
    }


def open_rows(exchange: Exchange, day: date, habits: Habits) -> Iterator[dict[str, Any]]:
    """ka10075: plain numbers, no prefix, texts with a sign."""
    fills = exchange.shown_fills()
    for order in of_day(exchange.journal(), day):
        if order.ended:
            continue
        row = _open_row(exchange, order, [one for one in fills if one.day == day and one.order_number == order.number])
        yield row
        if habits.lists_cancels_open and order.cancel_asked:
            yield row | {
                "ord_no": order.cancel_number,
                "orig_ord_no": order.number,
                "io_tp_nm": f"{_side(order)}취소",
                "ord_qty": str(order.rest),
                "oso_qty": str(order.rest),
                "cntr_qty": "0",
                "cntr_tot_amt": "0",
                "cntr_pric": "",
            }


def _open_row(exchange: Exchange, order: Order, fills: list[Fill]) -> dict[str, Any]:
    listing = exchange.listings[order.symbol]
    last = fills[-1] if fills else None
    return {
        "acnt_no": "5012345610",
        "ord_no": order.number,
        "mang_empno": "",
        "stk_cd": order.symbol,
        "tsk_tp": "",
        "ord_stt": "접수",
        "stk_nm": listing.name,
        "ord_qty": str(order.quantity),
        "ord_pric": str(order.limit or 0),
        "oso_qty": str(order.rest),
        "cntr_tot_amt": str(int(order.amount)),
        "orig_ord_no": NO_ORDER,
        "io_tp_nm": ("+" if order.buys else "-") + _side(order),
        "trde_tp": _kind(order),
        "tm": order.placed_at.astimezone(KST).strftime("%H%M%S"),
        "cntr_no": str(last.number) if last else "",
        "cntr_pric": str(int(_average(order, Habits()))) if last else "",
        "cntr_qty": str(order.filled),
        "cur_prc": signed(listing.price, listing.base_price),
        "sel_bid": signed(listing.price, listing.base_price),
        "buy_bid": signed(listing.price - listing.spread, listing.base_price),
        "unit_cntr_pric": str(int(last.price)) if last else "",
        "unit_cntr_qty": str(last.quantity) if last else "",
        "tdy_trde_cmsn": str(int(order.costs)),
        "tdy_trde_tax": "0",
        "ind_invsr": "",
        "stex_tp": "1",
        "stex_tp_txt": "KRX",
        "sor_yn": "N",
        "stop_pric": "0",
    }


def fill_rows(exchange: Exchange, day: date, habits: Habits) -> Iterator[dict[str, Any]]:
    """ka10076, newest first."""
    fills = [one for one in exchange.shown_fills() if one.day == day]
    for order in reversed(of_day(exchange.journal(), day)):
        mine = [one for one in fills if one.order_number == order.number]
        if not order.filled:
            continue
        base = {
            "ord_no": order.number,
            "stk_nm": exchange.listings[order.symbol].name,
            "io_tp_nm": ("+" if order.buys else "-") + _side(order),
            "ord_pric": str(order.limit or 0),
            "ord_qty": str(order.quantity),
            "cntr_pric": str(int(_average(order, habits))),
            "cntr_qty": str(order.filled),
            "oso_qty": str(order.rest),
            "tdy_trde_cmsn": str(int(order.costs)),
            "tdy_trde_tax": "0",
            "ord_stt": "체결",
            "trde_tp": _kind(order),
            "orig_ord_no": NO_ORDER,
            "ord_tm": order.placed_at.astimezone(KST).strftime("%H%M%S"),
            "stk_cd": order.symbol,
            "stex_tp": "1",
            "stex_tp_txt": "KRX",
            "sor_yn": "N",
            "stop_pric": "0",
        }
        if habits.rows_per_fill:
            yield from (
                base
                | {
                    "cntr_pric": str(int(one.price)),
                    "cntr_qty": str(one.quantity),
                    "tdy_trde_cmsn": str(int(one.costs)),
                }
                for one in reversed(mine)
            )
        else:
            yield base


def holding_rows(exchange: Exchange) -> Iterator[dict[str, Any]]:
    """kt00018; what was sold today stays as a row of zero."""
    shown = {symbol: (held, free, average) for symbol, held, free, average in exchange.shown_holdings()}
    gone = {one.symbol for one in exchange.shown_fills()} - shown.keys()
    for symbol, (held, free, average) in sorted({**shown, **dict.fromkeys(gone, (Decimal(0),) * 3)}.items()):
        listing = exchange.listings[symbol]
        yield {
            "stk_cd": "A" + symbol,
            "stk_nm": listing.name,
            "evltv_prft": padded(held * (listing.price - average), 15),
            "prft_rt": "-0.09",
            "pur_pric": padded(average, 15),
            "pred_close_pric": padded(listing.base_price, 12),
            "rmnd_qty": padded(held, 15),
            "trde_able_qty": padded(free, 15),
            "cur_prc": padded(listing.price, 12),
            "pur_amt": padded(held * average, 15),
            "evlt_amt": padded(held * listing.price, 15),
            "crd_tp": "00",
            "crd_tp_nm": "",
            "crd_loan_dt": "",
        }


def deposit(exchange: Exchange, *, mock: bool) -> dict[str, Any]:
    """kt00001; the class of 20 % shows five times the cash."""
    total, free = exchange.shown_cash()
    return {
        "entr": padded(total, 15),
        "profa_ch": padded(total - free, 15),
        "repl_amt": padded(Decimal(0), 15),
        "pymn_alow_amt": padded(free, 15),
        "ord_alow_amt": padded(free, 15),
        "20stk_ord_alow_amt": padded(free * (5 if mock else 1), 15),
        "100stk_ord_alow_amt": padded(free, 15),
        "ch_uncla_tot": padded(Decimal(0), 15),
        "d1_entra": padded(total, 15),
        "d2_entra": padded(total, 15),
        "d2_slby_exct_amt": "-00000000713100",
        "stk_entr_prst": [],
    }


def quote_row(exchange: Exchange, symbol: str) -> dict[str, Any]:
    """A row of ka10095."""
    listing, now = exchange.listings[symbol], exchange.clock().astimezone(KST)
    band = exchange.rules.band(listing, now.date())
    return {
        "stk_cd": symbol,
        "stk_nm": listing.name,
        "cur_prc": signed(listing.price, listing.base_price),
        "base_pric": str(int(listing.base_price)),
        "pred_pre": f"{int(listing.price - listing.base_price):+d}",
        "sel_bid": signed(listing.price, listing.base_price),
        "buy_bid": signed(listing.price - listing.spread, listing.base_price),
        "upl_pric": f"+{int(band[1])}" if band else "",
        "lst_pric": f"-{int(band[0])}" if band else "",
        "cntr_tm": now.strftime("%H%M%S"),
        "dt": now.strftime("%Y%m%d"),
    }
