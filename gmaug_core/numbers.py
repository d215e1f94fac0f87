"""How a number with a sign is written for a reader. Light: every page imports it."""

from __future__ import annotations

MINUS = "\N{MINUS SIGN}"


def signed(value: float, unit: str = "", digits: int = 2) -> str:
    """'+1.20', '−0.40 points', with a true minus sign; what rounds to nothing is '+0.00'."""
    return true_minus(f"{value:+z.{digits}f}") + (f" {unit}" if unit else "")


def true_minus(written: str) -> str:
    """'-0.4 to 1.2' -> '−0.4 to 1.2'."""
    return written.replace("-", MINUS)
