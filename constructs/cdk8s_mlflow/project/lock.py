"""The hashed lock of a user's repository, which pins this very version."""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cdk8s_mlflow import __version__

LOCK, WHEELS = "requirements.lock", "wheels"
HEADER = "# Written by `cdk8s-mlflow new` and `cdk8s-mlflow upgrade`: this version, and all that it needs, by hash."

_NAME = "cdk8s-mlflow"
_CHECKOUT = Path(__file__).parents[3]
_INSTALLED_LOCK = Path(__file__).with_name("run.lock")


class LockError(Exception):
    """This version cannot be pinned; the text says what to do."""


def write_lock(folder: Path, *, wheel: Path | None) -> None:
    """Write the lock of ``folder``, and the wheel into its ``wheels/`` if no package index has it.

    ``wheel`` is this version's; by default it comes from where this package was installed from.

    Raises:
        LockError: there is no wheel of this version to pin.
    """
    with _origin(wheel) as found:
        # pip looks for a relative path from where it runs, which the Makefile and CI make the repository's root.
        pin = f"{_NAME}=={__version__}" if found.indexed else f"./{WHEELS}/{found.wheel.name}"
        # Read before wheels/ is removed: the wheel may be the one in it.
        content = found.wheel.read_bytes()
        shutil.rmtree(folder / WHEELS, ignore_errors=True)
        if not found.indexed:
            (folder / WHEELS).mkdir()
            (folder / WHEELS / found.wheel.name).write_bytes(content)
    # The header says how this repository renews its lock, which is not how a user's is renewed.
    lines = [line for line in _dependencies().splitlines() if not line.startswith("#")]
    text = "\n".join([HEADER, f"{pin} \\", f"    --hash=sha256:{hashlib.sha256(content).hexdigest()}", *lines])
    (folder / LOCK).write_text(f"{text}\n", encoding="utf-8")


class _Origin:
    """Where this version comes from: a wheel, and whether a package index has it, too."""

    def __init__(self, wheel: Path, *, indexed: bool = False) -> None:
        if not wheel.is_file():
            raise LockError(f"{wheel}: no such file; name the wheel of version {__version__} with --wheel")
        if wheel.name.split("-")[:2] != [_NAME.replace("-", "_"), __version__] or wheel.suffix != ".whl":
            raise LockError(f"{wheel}: is not the wheel of {_NAME} {__version__}; name that one with --wheel")
        self.wheel, self.indexed = wheel, indexed


@contextmanager
def _origin(wheel: Path | None) -> Iterator[_Origin]:
    direct = _direct_url()
    with tempfile.TemporaryDirectory() as folder:
        if wheel is not None:
            yield _Origin(wheel)
        elif direct is None:
            yield _Origin(_from_index(Path(folder)), indexed=True)
        elif direct.endswith(".whl"):
            yield _Origin(Path(unquote(urlsplit(direct).path)))
        else:
            yield _Origin(_built(Path(folder)))


def _direct_url() -> str | None:
    """The URL that this package was installed from, as PEP 610 records it; None for a package index."""
    try:
        text = distribution(_NAME).read_text("direct_url.json")
    except PackageNotFoundError:
        # No distribution at all: imported from a checkout by PYTHONPATH.
        return _CHECKOUT.as_uri()
    return str(json.loads(text)["url"]) if text else None


def _from_index(folder: Path) -> Path:
    _run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            str(folder),
            f"{_NAME}=={__version__}",
        ]
    )
    # pip downloads nothing else with --no-deps.
    # pip downloads nothing else with --no-deps.
    (wheel,) = folder.iterdir()
    return wheel


def _built(folder: Path) -> Path:
    if not (_CHECKOUT / "pyproject.toml").is_file():
        raise LockError("this version was installed from a folder that is gone; name its wheel with --wheel")
    _run([sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)])
    (wheel,) = folder.iterdir()
    return wheel


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=_CHECKOUT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise LockError(f"`{' '.join(command[1:4])}` failed: {last[0]}; name the wheel of {__version__} with --wheel")


def _dependencies() -> str:
    file = _INSTALLED_LOCK if _INSTALLED_LOCK.is_file() else _CHECKOUT / "requirements" / "run.lock"
    return file.read_text(encoding="utf-8")
