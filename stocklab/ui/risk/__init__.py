"""The page of risk."""
