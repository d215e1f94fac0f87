"""Find a Chrome or Chromium for the browser tests; with --install, try to get one.

Prints what it found, never fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


def find_browser() -> str | None:
    """The path of a browser: $GMAUG_BROWSER, one on PATH, an application, or the one Playwright
    downloaded.
    """
    given = os.environ.get("GMAUG_BROWSER")
    if given and Path(given).exists():
        return given
    for name in NAMES:
        if found := shutil.which(name):
            return found
    for path in APPLICATIONS:
        if Path(path).exists():
            return path
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
        return path if Path(path).exists() else None
    except ImportError:
        return None


def install() -> None:
    """As root on Debian with apt, else Playwright's own download.

    Whatever fails here makes the browser tests skip.
    """
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        print("Installing chromium with apt ...")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
        ):
            if (
                subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False).returncode
                != 0
            ):
                break
        else:
            return
    print("Asking Playwright for a browser ...")
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


if __name__ == "__main__":
    browser = find_browser()
    if browser is None and "--install" in sys.argv:
        install()
        browser = find_browser()
    print(
        f"Browser for the tests: {browser}"
        if browser
        else "NO BROWSER FOUND: the browser tests will be skipped."
    )
