"""The paper broker: an account in the app database whose orders are filled by the simulator's own rules.

Nothing is imported here: an adapter that is not used costs nothing.
"""
