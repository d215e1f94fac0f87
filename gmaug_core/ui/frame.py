"""The frame around every page: title, brand, navigation, dataset picker.

Streamlit runs this file; nothing imports it.
"""

from __future__ import annotations

import streamlit as st

from gmaug_core import disk
from gmaug_core.errors import GMAugError
from gmaug_core.ui import ASSETS, ROOT, account, choice, outcome, text, where
from gmaug_core.workspace import recovering, safekeeping

PAGES = (
    ("datasets", "Datasets", "photo_library"),
    ("super_classes", "Super-classes", "account_tree"),
    ("similarity", "Similarity", "blur_on"),
    ("verdict", "Verdict", "balance"),
    ("equivalence", "Equivalence", "swap_horiz"),
    ("augmentation", "Augmentation", "play_circle"),
    ("samples", "Samples", "grid_view"),
    ("gains", "Gains", "insights"),
)
# what the theme cannot say: words on the light buttons of dark mode, in ink that can be read; a number and
# its name on as many lines as they need; what an action said in view, however far down its button is; a line
# on a run whole, with its buttons below it
LOOKS = """<style>
[data-testid="stApp"] [data-testid="stBaseButton-primary"]:enabled { color: light-dark(#fff, #0b1a17); }
[data-testid="stMetricLabel"] *, [data-testid="stMetricValue"] * { white-space: normal; overflow: visible; }
:has(> .st-key-said) { position: sticky; top: 3.75rem; z-index: 9; }
.st-key-said [data-testid="stAlert"] { backdrop-filter: blur(1rem); border-radius: .5rem; }
:has(> .st-key-sample-counted) { min-width: min(100%, 24rem); }
[class*="st-key-pick-"] > :has(> [data-testid="stSelectbox"]) { min-width: min(100%, 24rem); }
</style>"""

st.set_page_config(  # before the navigation: a page's own icon would be fetched from another machine
    page_title="GMAug", page_icon=str(ASSETS / "icon.png"), layout="wide", initial_sidebar_state="expanded"
)
st.logo(str(ASSETS / "logo.svg"), icon_image=str(ASSETS / "icon.svg"), size="large")
page = st.navigation(  # one list: Streamlit's sections are not lists to a screen reader
    [
        st.Page(ROOT / "pages" / f"{name}.py", title=title, icon=f":material/{icon}:")
        for name, title, icon in PAGES
    ]
)
st.set_page_config(page_title=f"{page.title} · GMAug")
st.html(LOOKS)
try:
    with st.sidebar:
        choice.picker()
        where.picker()
        account.draw()
    with st.container(key="said"):  # there or not: what is below keeps its place, and stays open or chosen
        if about := safekeeping.notice():
            st.warning(text.md(about.words), icon=":material/settings_backup_restore:")
            st.button("Understood", key="restored-seen", on_click=outcome.attempt, args=(recovering.seen,))
        outcome.said()
    page.run()
except GMAugError as error:
    text.error_box(error)
except OSError as error:
    problem = disk.explained(error)
    if problem is None:
        raise
    text.error_box(problem)
