"""Streamlit building blocks: the only package, with ``app.py`` and ``pages/``, that draws."""
