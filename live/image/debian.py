"""A Debian of only packages, from the mirror that this machine's apt uses, for a base image."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from live.servers.cache import MissingProgramError, debian_program, locked

SUITE = "trixie"
"""Debian 13 brings Python 3.13, as burakince/mlflow:3.6.0 does; python:3.12-slim is built on it too."""
PACKAGES = "python3,python3-venv,ca-certificates"


def root_archive() -> Path:
    """A tar archive of the root file system, created once a machine.

    Raises:
        MissingProgramError: debootstrap is missing, or it fails.
    """
    program = debian_program("debootstrap", package="debootstrap", folders="/usr/sbin")
    digest = hashlib.sha256(f"{SUITE} {PACKAGES}".encode()).hexdigest()[:10]
    with locked("debian") as cache:
        archive = cache / "debian" / f"{SUITE}-{digest}.tar"
        if not archive.exists():
            _make(program, archive)
        return archive


def _make(program: Path, archive: Path) -> None:
    root = archive.with_suffix(".unfinished")
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    # Nothing beyond apt and what is essential, as slim base images have it.
    _run([program, "--variant=minbase", f"--include={PACKAGES}", SUITE, root, _mirror()])
    # Neither is of use in an image, and the listings age.
    for folder in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(root / folder)
    unfinished = archive.with_suffix(".unfinished.tar")
    _run(["tar", "--create", "--numeric-owner", "--one-file-system", "--file", unfinished, "--directory", root, "."])
    unfinished.rename(archive)
    shutil.rmtree(root)


def _mirror() -> str:
    listing = _run(["apt-get", "indextargets", "--format", "$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)"])
    lines = [line.split() for line in listing.splitlines()]
    # A codename with a hyphen is that of security or update archives, which debootstrap cannot start from.
    plain = [words[3] for words in lines if words[:2] == ["Debian", "main"] and "-" not in words[2]]
    if not plain:
        raise MissingProgramError("apt knows no mirror of Debian; the tests' base images need its packages")
    return plain[0]


def _run(command: list[str | Path]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-10:])
        raise MissingProgramError(f"`{command[0]}` failed with {done.returncode}:\n{last}")
    return done.stdout
