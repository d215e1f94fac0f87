"""GMAug's dashboard: `gmaug app`, or streamlit run app.py. The gate outside, our routes, the frame inside."""

from __future__ import annotations

import streamlit as st
from starlette.middleware import Middleware

from gmaug_core.ui import FRAME, failure, start
from gmaug_core.ui.gate import Gate
from gmaug_core.ui.opening import door, lifespan
from gmaug_core.ui.routes import ROUTES

start.ready()
app = st.App(
    FRAME,
    routes=ROUTES,
    middleware=[Middleware(Gate, door=door)],
    lifespan=lifespan,
    on_script_error=failure.told,
)
