"""The page of one company or coin."""
