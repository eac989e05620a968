"""The page of accounts at brokers."""
