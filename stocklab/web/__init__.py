"""What the ASGI app adds to Streamlit: middleware, machine routes, start and stop."""

from stocklab.web.parts import WebParts, web_parts

__all__ = ["WebParts", "web_parts"]
