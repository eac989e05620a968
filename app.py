"""ASGI entry: ``streamlit run app.py``. The pages are declared in ``stocklab/ui/main.py``."""

from pathlib import Path

import streamlit as st

from stocklab.settings import load_settings
from stocklab.web import web_parts

_parts = web_parts(load_settings())

# A plain assignment: `streamlit run` finds the app by reading this file's syntax tree.
app = st.App(
    Path(__file__).resolve().parent / "stocklab" / "ui" / "main.py",
    lifespan=_parts.lifespan,
    routes=_parts.routes,
    middleware=_parts.middleware,
    on_script_error=_parts.on_script_error,
)
