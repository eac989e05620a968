"""Words of scenarios and of where their moves are from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from stocklab.trading.stress import ChangeBasis
from stocklab.ui.text import N_

__all__ = ["BASES", "SCENARIO_NAMES"]

SCENARIO_NAMES: Final[Mapping[str, str]] = {
    "imf_1997": N_("Currency crisis and IMF programme"),
    "dotcom_2000": N_("End of the dot-com boom"),
    "financial_2008": N_("Global financial crisis"),
    "downgrade_2011": N_("Rating of the United States and the euro, August 2011"),
    "china_2015": N_("China's devaluation, to 24 August 2015"),
    "october_2018": N_("October 2018"),
    "covid_2020": N_("COVID-19"),
    "rates_2022": N_("Rising interest rates"),
    "august_2024": N_("Unwinding of yen carry trades, 5 August 2024"),
    "coins_2018": N_("Coins, January 2018"),
    "coins_2020": N_("Coins, 12 March 2020"),
    "coins_2022_luna": N_("Coins, Luna and the lenders after it"),
    "coins_2022_ftx": N_("Coins, FTX"),
}
BASES: Final[Mapping[ChangeBasis, str]] = {
    ChangeBasis.REPLAYED: N_("replayed"),
    ChangeBasis.BETA: N_("index x beta"),
    ChangeBasis.ASSUMED_BETA: N_("index (beta 1 assumed)"),
    ChangeBasis.SHOCK: N_("shock"),
}
