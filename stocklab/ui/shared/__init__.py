"""Shared strategies: the list, one of them, and what is done with it."""
