"""The five questions and their answers in words."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from stocklab.strategy.matching import Approach, Company, Horizon, Income, Question, Risk
from stocklab.ui.mark import N_

__all__ = ["FITS", "QUESTIONS", "SHORT"]

QUESTIONS: Final[Mapping[Question, tuple[str, Mapping[StrEnum, str]]]] = {
    Question.HORIZON: (
        N_("How long may your money stay in one stock?"),
        {
            Horizon.SHORT: N_("Days to a few weeks"),
            Horizon.MEDIUM: N_("Some months"),
            Horizon.LONG: N_("A year or longer"),
        },
    ),
    Question.APPROACH: (
        N_("How would you rather pick a stock?"),
        {
            Approach.VALUE: N_("It is cheap for what it earns or owns"),
            Approach.QUALITY: N_("The business is very good"),
            Approach.GROWTH: N_("Sales and profit grow fast"),
            Approach.MOMENTUM: N_("Its price is rising"),
            Approach.CONTRARIAN: N_("It fell, or others overlook it"),
        },
    ),
    Question.RISK: (
        N_("How deep a fall of your account could you sit through?"),
        {
            Risk.LOW: N_("A small one: I sleep badly"),
            Risk.MEDIUM: N_("About as deep as the market's"),
            Risk.HIGH: N_("Deeper than the market's, for a higher return"),
        },
    ),
    Question.INCOME: (
        N_("Where should the return come from?"),
        {Income.DIVIDEND: N_("Dividends"), Income.GAIN: N_("Rising prices")},
    ),
    Question.COMPANY: (
        N_("What kind of company do you like to own?"),
        {
            Company.STEADY: N_("Steady and dependable"),
            Company.EXCELLENT: N_("The best of its trade"),
            Company.CHEAP: N_("Cheap on its assets"),
            Company.GROWING: N_("Growing fast"),
            Company.SMALL: N_("Small and little known"),
            Company.ANY: N_("Any: the price counts"),
        },
    ),
}
SHORT: Final[Mapping[Question, str]] = {
    Question.HORIZON: N_("Holding time"),
    Question.APPROACH: N_("Way of picking"),
    Question.RISK: N_("Risk"),
    Question.INCOME: N_("Source of return"),
    Question.COMPANY: N_("Kind of company"),
}
FITS: Final = (N_("Does not fit"), N_("Fits in part"), N_("Fits"))
