"""The page of positions and profit."""
