"""Debian's Chromium with an empty profile that trusts one authority."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from live.servers.cache import debian_program

ARGUMENTS = (
    # The sandbox needs a user other than root.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@contextmanager
def chromium(home: Path, *, ca: Path) -> Iterator[Browser]:
    """A headless browser with the empty folder ``home`` as its home; the authority ``ca`` is all that it trusts more.

    Raises:
        MissingProgramError: Chromium or certutil is missing and cannot be installed from here.
    """
    program = debian_program("chromium", package="chromium")
    _trust(ca, home)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            args=ARGUMENTS,
            # Nothing of our own environment: a proxy's variable would lead the browser out of this machine.
            env={"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            # Chromium starts slowly on a loaded machine.
            timeout=120_000,
        )
        with browser:
            yield browser


def _trust(ca: Path, home: Path) -> None:
    """Chromium on Linux adds what the NSS database of the home says to its own roots."""
    certutil = debian_program("certutil", package="libnss3-tools")
    database = home / ".pki" / "nssdb"
    # certutil creates the files of a database, and not its folder.
    database.mkdir(parents=True)
    for arguments in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "authority", "-i", str(ca)]):
        subprocess.run([certutil, "-d", f"sql:{database}", *arguments], check=True, capture_output=True)
