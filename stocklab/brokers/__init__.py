"""Brokers behind one protocol: the values (`values`), what every adapter does (`protocol`), and one package for each.

Nothing is imported here: an adapter that is not used costs nothing.
"""
