"""Outside services that data come from: one module each, behind the small protocol of `feed`.

Nothing is imported here: a command that asks no source pays for none.
"""
