"""A Debian of only packages, from the mirror that this machine's apt uses, for a base image."""

import hashlib
import shutil
from pathlib import Path

from live.servers.cache import MissingProgramError, cache_root, debian_program, make_once, run_quietly

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
    target = cache_root() / "debian" / f"{SUITE}-{digest}.tar"
    return make_once(target, "installing a Debian for images", lambda scratch: _make(program, scratch))


def _make(program: Path, scratch: Path) -> Path:
    root, archive = scratch / "root", scratch / "root.tar"
    # Nothing beyond apt and what is essential, as slim base images have it.
    run_quietly([str(program), "--variant=minbase", f"--include={PACKAGES}", SUITE, str(root), _mirror()])
    # Neither is of use in an image, and the listings age.
    for folder in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(root / folder)
    only = ["--numeric-owner", "--one-file-system", "--directory", str(root), "."]
    run_quietly(["tar", "--create", "--file", str(archive), *only])
    return archive


def _mirror() -> str:
    listing = run_quietly(["apt-get", "indextargets", "--format", "$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)"])
    lines = [line.split() for line in listing.splitlines()]
    # A codename with a hyphen is that of security or update archives, which debootstrap cannot start from.
    plain = [words[3] for words in lines if words[:2] == ["Debian", "main"] and "-" not in words[2]]
    if not plain:
        raise MissingProgramError("apt knows no mirror of Debian; the tests' base images need its packages")
    return plain[0]
