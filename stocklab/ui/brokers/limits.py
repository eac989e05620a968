"""What an account allows: every limit of the risk gate with what it means."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

import streamlit as st

from stocklab.live.accounts import LinkedAccount
from stocklab.live.limits_document import limits_from
from stocklab.ui import blocks
from stocklab.ui.account.saying import rerun_saying
from stocklab.ui.brokers import services
from stocklab.ui.text import N_, _

__all__ = ["limits_form"]

_PERCENT: Final[Mapping[str, tuple[str, str, float, float]]] = {
    "most_order_fraction": (
        N_("Largest order (% of the account)"),
        N_("A purchase above this is taken for a slip of the finger and refused."),
        0.1,
        100.0,
    ),
    "most_position_fraction": (
        N_("Largest holding (% of the account)"),
        N_("No purchase that would make one symbol more than this."),
        0.1,
        100.0,
    ),
    "most_sector_fraction": (
        N_("Largest sector (% of the account)"),
        N_("No purchase that would make one sector more than this."),
        0.1,
        100.0,
    ),
    "most_value_per_day_fraction": (
        N_("Orders of a day (% of the account)"),
        N_("Purchases and sales of a day together; beyond it nothing is bought until tomorrow."),
        1.0,
        10_000.0,
    ),
    "most_price_gap": (
        N_("Limit away from the price (%)"),
        N_("A bid above or an offer below the last price by more than this is refused."),
        0.1,
        100.0,
    ),
}
_LADDERS: Final[Mapping[str, tuple[str, str]]] = {
    "day_loss": (N_("Loss of a day (%)"), N_("Since the close of the session before.")),
    "week_loss": (N_("Loss of a week (%)"), N_("Over the last five sessions.")),
    "drawdown": (N_("Loss from the peak (%)"), N_("Since the account was at its highest.")),
}
_STEPS: Final = (N_("no new purchases"), N_("positions are halved"), N_("everything is sold"))


def limits_form(owner_id: str, account: LinkedAccount) -> None:
    """The form; a sale is never held back by limits on purchases and losses."""
    limits = account.limits
    st.caption(_("Every order passes these, whoever wants it. They never hold back a sale that lowers the risk."))
    with st.form(f"limits_{account.id}", border=True):
        fractions = {name: _percent(name, getattr(limits, name)) for name in _PERCENT}
        orders = st.number_input(
            _("Orders a day"),
            1,
            100_000,
            limits.most_orders_per_day,
            key="field_most_orders",
            help=_("Beyond it no order is sent until tomorrow."),
        )
        age = st.number_input(
            _("Oldest price (seconds)"),
            1,
            86_400,
            int(limits.quote_age.total_seconds()),
            key="field_quote_age",
            help=_("Nothing is bought at a price older than this."),
        )
        again = st.number_input(
            _("Same order again (seconds)"),
            1,
            86_400,
            int(limits.duplicate_within.total_seconds()),
            key="field_duplicate",
            help=_("The same order within this time is taken for a double and refused."),
        )
        ladders = {name: _ladder(name, getattr(limits, name)) for name in _LADDERS}
        saved = st.form_submit_button(_("Save"), icon=":material/save:", key="save_limits")
    if saved:
        with blocks.guarded():
            counted = {"most_orders_per_day": orders, "quote_age": age, "duplicate_within": again}
            changed = limits_from({**fractions, **ladders, **counted})
            services.accounts().set_limits(owner_id, account.id, changed)
            rerun_saying(_("The limits hold from the next order on."))


def _percent(name: str, value: Decimal) -> Decimal:
    label, hint, least, most = _PERCENT[name]
    shown = st.number_input(
        _(label), least, most, float(value * 100), step=1.0, format="%.1f", key=f"field_{name}", help=_(hint)
    )
    return _fraction(shown)


def _ladder(name: str, steps: tuple[Decimal, Decimal, Decimal]) -> tuple[Decimal, ...]:
    label, hint = _LADDERS[name]
    st.markdown(f"**{_(label)}**", help=_(hint))
    columns = st.columns(3)
    return tuple(
        _fraction(
            column.number_input(
                _(words), 0.1, 100.0, float(step * 100), step=0.5, format="%.1f", key=f"field_{name}_{index}"
            )
        )
        for index, (column, words, step) in enumerate(zip(columns, _STEPS, steps, strict=True))
    )


def _fraction(percent: float) -> Decimal:
    """Exact: what is typed has one digit behind the point."""
    return Decimal(f"{percent:.1f}") / 100
