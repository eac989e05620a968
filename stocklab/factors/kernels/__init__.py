"""Compiled loops: every function of the formula language over one line of float64 values, and the ranks of a date.

NaN is null. A line is the history of one symbol from its first to its last listed session, or the values of one
session over the symbols. No kernel reads past the value it writes.
"""
