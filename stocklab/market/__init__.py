"""What KRX and Upbit are: sessions, ticks, limits, costs as dated tables, and `Panel`."""
