"""Everything shared that touches the dashboard: frame, gate, routes, components. Never torch, a worker or an experiment."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ASSETS = ROOT / "assets"
