"""The run card: what was run, on what, and what to know before believing it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from stocklab.backtest.result import Result
from stocklab.ui import blocks
from stocklab.ui import format as fmt
from stocklab.ui.builder.fields import escape
from stocklab.ui.lacks import lack_of, lack_sentences
from stocklab.ui.result.frames import reason_name
from stocklab.ui.text import _, language

__all__ = ["card_facts", "run_card", "warnings"]


def run_card(result: Result) -> None:
    """The facts, what to be careful about, and the whole card as JSON."""
    card = result.card
    blocks.facts(card_facts(card))
    told = warnings(card)
    if told:
        st.markdown(f"**{_('Read before you believe it')}**")
        st.markdown("\n".join(f"- {escape(line)}" for line in told))
    with st.expander(_("As text (JSON)"), icon=":material/data_object:"):
        rest = {key: value for key, value in card.items() if key != "strategy"}
        st.code(json.dumps(rest, ensure_ascii=False, indent=2), language="json", height=360)


def card_facts(card: Mapping[str, Any]) -> dict[str, str]:
    """The card's facts by name, in the user's language."""
    counts = card["counts"]
    basis = {"raw": _("Raw prices"), "adjusted": _("Adjusted prices"), "coin": _("Coins (Upbit)")}
    facts = {
        _("Run id"): str(card["run_id"]),
        _("Range"): f"{card['start']} – {card['end']}",
        _("Sessions in the range"): fmt.count(card["n_sessions"]),
        _("Initial capital"): fmt.krw_exact(card["initial_cash_krw"], language()),
        _("Prices"): basis.get(str(card["price_basis"]), str(card["price_basis"])),
        **_statements(card),
        _("Data"): _("Demo data (synthetic)") if card["synthetic"] else _("Market data"),
        _("Data snapshot"): str(card["snapshot_id"]),
        _("Benchmark"): str(card["benchmark"]),
        _("Risk-free rate"): _("0 (no series loaded)") if str(card["risk_free"]).startswith("0") else _("Dated series"),
        _("Orders"): fmt.count(counts["orders"]),
        _("Orders not filled whole"): fmt.count(counts["orders_not_filled_whole"]),
        _("Splits and bonus issues applied"): fmt.count(counts["share_changes"]),
        _("Version"): f"{card['version']} / {card['engine_version']}",
        _("Fingerprint of the code"): str(card["code_sha256"]),
        _("Fingerprint of the strategy"): str(card["strategy_sha256"])[:16],
    }
    reasons = {reason_name(code): number for code, number in counts["reasons"].items()}
    if reasons:
        facts[_("Why orders did not fill")] = ", ".join(f"{name} {number:,}" for name, number in reasons.items())
    return facts


def _statements(card: Mapping[str, Any]) -> dict[str, str]:
    """When numbers of company reports counted; nothing where none were read."""
    read = card.get("statements")
    if read is None:
        return {}
    modes = {"strict": _("As filed (strict)"), "restated": _("As corrected later (restated): hindsight")}
    return {
        _("Numbers of company reports"): modes.get(str(read["mode"]), str(read["mode"])),
        _("Company reports public by its end"): fmt.count(read["reports"]),
        _("Of these, dated by the legal deadline"): fmt.count(read["dated_by_deadline"]),
    }


def _statement_warnings(card: Mapping[str, Any]) -> list[str]:
    read = card.get("statements")
    told = []
    if read is not None and read["mode"] == "restated":
        told.append(
            _(
                "Restated mode is hindsight: numbers as corrected later count from the first filing. That concerns "
                "{count} reports."
            ).format(count=fmt.count(read["restated"]))
        )
    if read is not None and read["dated_by_deadline"]:
        told.append(
            _("{count} of {all} company reports have no known receipt; they count from their legal deadline.").format(
                count=fmt.count(read["dated_by_deadline"]), all=fmt.count(read["reports"])
            )
        )
    return told


def _dividend_warnings(card: Mapping[str, Any]) -> list[str]:
    if card["price_basis"] == "coin":
        return [
            _(
                "Coins of Upbit's won market: ticks that single coins had of their own, the largest order and "
                "delistings are not simulated."
            )
        ]
    found = card.get("dividends")
    if found is None or not found["known"] or card["price_basis"] != "raw":
        return [_("Cash dividends are not booked, neither here nor in the benchmark.")]
    told = [_("Cash dividends are booked when they are paid; the benchmark is a price index without them.")]
    if found["due"]:
        told.append(
            _("Dividends due after the last session, not in the result: {count} ({amount} before tax).").format(
                count=fmt.count(found["due"]), amount=fmt.krw(found["due_krw"], language())
            )
        )
    if found["days_of_payment_expected"]:
        told.append(
            _("The day of payment of {count} of {all} dividends is expected, not published.").format(
                count=fmt.count(found["days_of_payment_expected"]), all=fmt.count(found["in_range"])
            )
        )
    return told


def warnings(card: Mapping[str, Any]) -> list[str]:
    """What a careful reader wants to know, in the user's language."""
    counts = card["counts"]
    told = [*_statement_warnings(card), *_dividend_warnings(card)]
    if card["synthetic"]:
        told.insert(0, _("The market is simulated: the result says nothing about real stocks."))
    first = card["first_purchase"]
    told += lack_sentences(lack_of(row) for row in card.get("lacking", ()))
    never = counts.get("rules_never_held", ())
    if first is None and never:
        told.append(
            _(
                "Nothing was bought: for {rules} no stock of the universe passed on any session. The condition is too "
                "strict, or what it reads has too little history in this range."
            ).format(rules=", ".join(never))
        )
    elif first is None:
        told.append(_("Nothing was bought: no stock met the rules, or an indicator had too little history."))
    else:
        told.append(
            _("The first purchase was on {session}; the time in cash before it counts in every figure.").format(
                session=first
            )
        )
    if counts["hypothetical_share_counts"]:
        told.append(
            _("On adjusted prices share counts are hypothetical, and price limits are judged with a tolerance.")
        )
    if counts["tv_estimated"]:
        told.append(_("Traded value is estimated as close times volume where none was published."))
    if counts["series_ended_early"]:
        told.append(
            _("{count} holdings had prices that end early; they stay at their last close.").format(
                count=fmt.count(counts["series_ended_early"])
            )
        )
    if counts.get("spin_offs_while_held"):
        told.append(
            _(
                "{count} holdings came through what looks like a spin-off; the shares of the new company are missing."
            ).format(count=fmt.count(counts["spin_offs_while_held"]))
        )
    if counts["base_price_moves_without_share_change"]:
        told.append(
            _(
                "{count} times the base price of a holding moved without an event that is known; what holders received "
                "is missing."
            ).format(count=fmt.count(counts["base_price_moves_without_share_change"]))
        )
    if counts["delisted_while_held"]:
        told.append(
            _("{count} holdings were delisted while held.").format(count=fmt.count(counts["delisted_while_held"]))
        )
    unknown = sum(counts.get("unknown_flags", {}).values())
    if unknown:
        told.append(
            _("Some exclusions are unknown for {count} stock-days; those stayed in the universe.").format(
                count=fmt.count(unknown)
            )
        )
    for name, count in counts.get("unknown_lists", {}).items():
        told.append(
            _("The members of {name} are not known on {count} sessions; nobody counts as a member then.").format(
                name=name, count=fmt.count(count)
            )
        )
    return told
