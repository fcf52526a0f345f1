"""The package as a user gets it: built once a session, and installed into an environment outside the checkout."""

import sys
import tarfile
from pathlib import Path

import pytest
from installation import ROOT, Environment, build, uv


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the checkout."""
    return build("wheel", source=ROOT, folder=tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def wheel_of_sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build("sdist", source=ROOT, folder=folder)) as archive:
        archive.extractall(folder, filter="data")
    (source,) = (path for path in folder.iterdir() if path.is_dir())
    return build("wheel", source=source, folder=folder)


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """A fresh environment with the wheel and its locked dependencies."""
    environment = Environment(tmp_path_factory.mktemp("installed") / "environment")
    uv("venv", "--python", sys.executable, str(environment.folder))
    install = ("pip", "install", "--python", str(environment.python))
    uv(*install, "--require-hashes", "--requirement", str(ROOT / "requirements" / "run.lock"))
    # By itself: the lock has no hash of a wheel that was just built.
    uv(*install, "--no-deps", str(wheel))
    return environment
