"""Upbit: coins in won over its Open API. No test environment and no tokens; our own id of an order is unique for ever.

Nothing is imported here: an adapter that is not used costs nothing.
"""
