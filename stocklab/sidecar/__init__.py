"""Processes beside the UI, and the supervisor that starts them all.

Nothing is imported here: `processes` needs the standard library alone, and stays light for whoever uses only that.
"""
