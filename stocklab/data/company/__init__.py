"""What is known of one symbol: its quote, bars with indicators, reports, ratios, peers, payouts and status."""

from stocklab.data.company.chart import INDICATORS, Interval, PriceHistory, price_history
from stocklab.data.company.peers import PEER_FACTORS, Peer, peers
from stocklab.data.company.press_names import issuer_symbol, press_names
from stocklab.data.company.profile import Profile, Quote, panel_with, profile
from stocklab.data.company.ratios import RATIOS, RatioHistory, ratio_history
from stocklab.data.company.records import FlagPeriod, Records, records
from stocklab.data.company.reports import REPORT_ITEMS, Figure, Report, reports

__all__ = [
    "INDICATORS",
    "PEER_FACTORS",
    "RATIOS",
    "REPORT_ITEMS",
    "Figure",
    "FlagPeriod",
    "Interval",
    "Peer",
    "PriceHistory",
    "Profile",
    "Quote",
    "RatioHistory",
    "Records",
    "Report",
    "issuer_symbol",
    "panel_with",
    "peers",
    "press_names",
    "price_history",
    "profile",
    "ratio_history",
    "records",
    "reports",
]
