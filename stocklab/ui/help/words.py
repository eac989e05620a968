"""The words of the trade, explained in a sentence each."""

from __future__ import annotations

from typing import Final

from stocklab.ui.mark import N_

__all__ = ["GLOSSARY", "STEPS"]

STEPS: Final = (
    ("start", N_("Find a strategy"), N_("Answer five questions, or pick a ready-made strategy on the home page.")),
    ("builder", N_("Look at its rules"), N_("The builder shows every condition; change a number and it is yours.")),
    (
        "results",
        N_("Run it and read the result"),
        N_("Ten years of the whole market take a second. Begin with the deepest fall, then the return."),
    ),
    (
        "strategies",
        N_("Keep it"),
        N_("A saved strategy has versions: nothing you change is lost, and any version can come back."),
    ),
)
GLOSSARY: Final = (
    (N_("Backtest"), N_("What a rule would have done with past prices, with fees, taxes and what could be traded.")),
    (N_("Look-ahead"), N_("A rule that uses what nobody knew that day. Every result here is checked for it.")),
    (N_("Survivorship"), N_("Leaving out what was delisted makes the past look better than it was.")),
    (
        N_("Overfitting"),
        N_("Trying until something looks good by chance. The more variants, the less the best proves."),
    ),
    (N_("CAGR"), N_("The yearly growth that leads from the first value to the last.")),
    (N_("Maximum drawdown (MDD)"), N_("The deepest fall from a peak. Ask whether you would have held on.")),
    (N_("Volatility"), N_("How much daily returns scatter, as a yearly figure.")),
    (N_("Sharpe ratio"), N_("Return above the riskless rate for each unit of volatility.")),
    (N_("Deflated Sharpe"), N_("The probability that a Sharpe ratio is more than luck, given how many were tried.")),
    (N_("Turnover"), N_("How much of the account is exchanged in a year: the more, the more costs weigh.")),
    (N_("Slippage"), N_("How much worse than the quoted price a trade is filled.")),
    (N_("Rebalancing"), N_("Bringing the holdings back to the weights that the rule wants.")),
    (N_("Factor"), N_("A number known for each stock on each day, such as PER or the return of a year.")),
    (N_("Universe"), N_("The stocks that a rule may choose from.")),
    (N_("Benchmark"), N_("What the result is compared with, such as KOSPI.")),
    (N_("After publication"), N_("Returns since a strategy was shared: the only ones nobody could fit.")),
)
