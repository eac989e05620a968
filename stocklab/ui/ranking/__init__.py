"""The boards of published strategies."""
