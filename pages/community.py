"""Community: posts about strategies, free talk and questions, with comments (``?post=ID``, ``?write=1``, ``?tag=``)."""

from __future__ import annotations

import streamlit as st

from stocklab.ui import blocks, identity
from stocklab.ui.community.post_form import write_form
from stocklab.ui.community.post_list import post_list
from stocklab.ui.community.post_view import post_view
from stocklab.ui.community.words import allowed
from stocklab.ui.text import _

blocks.title(_("Community"), _("What others try, ask and think. Nothing here is advice to buy or sell."))
identity.owner_id()
with allowed():
    if post_id := st.query_params.get("post"):
        post_view(post_id)
    elif st.query_params.get("write"):
        write_form()
    else:
        post_list()
