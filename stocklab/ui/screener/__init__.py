"""The screener: conditions over the stocks of one day, and the table of those that meet them."""
