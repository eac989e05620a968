"""The strategy builder: one JSON document behind form, text and run."""
