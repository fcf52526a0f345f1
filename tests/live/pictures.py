"""Pictures of the pages for the documentation: renewed by `make screenshots`, else taken to see that they can be."""

import os
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page

LARGEST = 150_000
"""Bytes of a picture that is worth its place in the repository."""

PLAIN = ".login-pf body { background: #1b3d6d !important; }"
"""Keycloak's background is a photograph, and most of the picture's bytes."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """The folder that pictures are taken into."""

    folder: Path

    def take(self, page: Page, name: str) -> int:
        """Size in bytes of the picture ``NAME.png`` of what the window shows."""
        file = self.folder / f"{name}.png"
        # A page that moves would give another picture each time.
        page.screenshot(path=file, animations="disabled", style=PLAIN)
        return file.stat().st_size


def pictures(otherwise: Path) -> Pictures:
    """In the folder that the variable SCREENSHOTS names."""
    return Pictures(Path(os.environ.get("SCREENSHOTS") or otherwise))
