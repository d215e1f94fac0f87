"""All that touches the dashboard: frame, gate, routes, parts. Never torch, a worker or the method."""

from __future__ import annotations

from pathlib import Path

from gmaug_core import posix

posix.required()

INSTALLED = Path(__file__).resolve().parent.parent / "_app"  # where the wheel puts them; see pyproject.toml


def surface() -> Path:
    """The folder of app.py, pages/, assets/ and .streamlit/: in an installed package, else the repository."""
    return INSTALLED if INSTALLED.is_dir() else INSTALLED.parent.parent


ROOT = surface()
ASSETS = ROOT / "assets"
FRAME = Path(__file__).with_name("frame.py")  # the script that Streamlit runs around every page
