"""Stock Lab: backtesting and automated trading for private investors in Korea."""

__version__ = "0.1.0"
