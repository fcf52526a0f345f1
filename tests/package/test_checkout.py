"""A fresh checkout set up by make: in a path with a space, as an ordinary user with an empty environment, and moved."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import copy_checkout

pytestmark = pytest.mark.downloads

USER = 4242
"""A user that no machine knows by name."""


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder of the ordinary user, with a checkout in it."""
    with tempfile.TemporaryDirectory(prefix="checkout-") as folder:
        place = Path(folder)
        (place / "home").mkdir()
        copy_checkout(place / "my checkout")
        # Root may write everywhere, which would hide a file in the wrong place.
        if os.geteuid() == 0:
            for path in (place, *place.rglob("*")):
                os.chown(path, USER, USER, follow_symlinks=False)
        yield place


def make(target: str, checkout: Path) -> "subprocess.CompletedProcess[str]":
    """``make target`` with nothing in its environment but where programs and the home are."""
    # Not the one of the tests, which may lie in root's home.
    python = shutil.which("python3", path="/usr/local/bin:/usr/bin:/bin")
    if python is None:
        pytest.skip("needs a Python that every user may run")
    return subprocess.run(
        ["make", target, f"PYTHON={python}"],
        cwd=checkout,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(checkout.parent / "home")},
        user=USER if os.geteuid() == 0 else None,
        group=USER if os.geteuid() == 0 else None,
        # Otherwise the process would keep root's groups.
        extra_groups=[] if os.geteuid() == 0 else None,
        capture_output=True,
        text=True,
        check=False,
    )


def changed(checkout: Path) -> str:
    """What git sees as changed; it trusts folders of other users only if told."""
    command = ["git", "-c", f"safe.directory={checkout}", "status", "--short"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True).stdout


@pytest.mark.nightly
def test_checkout_works_fresh_and_moved(place: Path) -> None:
    fresh = make("synth", place / "my checkout")
    moved = (place / "my checkout").rename(place / "moved here")
    again = make("synth", moved)
    by_cli = make("cdk8s-synth", moved)

    assert fresh.returncode == 0, fresh.stderr
    assert again.returncode == 0, again.stderr
    assert "this checkout was moved, so its environments are set up anew" in again.stdout
    assert by_cli.returncode == 0, by_cli.stdout + by_cli.stderr
    assert changed(moved) == ""
    assert {path.name for path in place.iterdir()} == {"home", "moved here"}
