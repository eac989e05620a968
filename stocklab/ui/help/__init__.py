"""The help page: a first backtest, the words of the trade, messages to the people who run this."""
