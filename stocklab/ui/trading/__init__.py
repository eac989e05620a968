"""The page of strategies at work."""
