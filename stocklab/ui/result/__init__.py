"""The result page: headline, charts, holdings, trades, orders, stocks, settings."""
