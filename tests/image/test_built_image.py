"""The image really built by the Dockerfile, on a base of Debian's packages, and what is in its own file system.

That its programs migrate, serve and check, and write only below /tmp, is tried in pods: tests/node.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from container import Container
from pod import Pod, Venv

from cdk8s_mlflow.settings.server import ServerSettings
from live.image.built import ROOT
from testbed.image.built_image import BuiltImage, built_image, describe, mounted

pytestmark = [
    pytest.mark.servers,
    pytest.mark.either_release,
    pytest.mark.skipif(os.geteuid() != 0, reason="images are built as root"),
]

VERSIONS = """
import importlib.metadata, json
print(json.dumps({d.name.lower().replace("_", "-"): d.version for d in importlib.metadata.distributions()}))
"""

PLACES = """
import json, sys
import alembic, boto3, mlflow, mlflow_sso, psycopg2, redis, sqlalchemy
modules = (alembic, boto3, mlflow, mlflow_sso, psycopg2, redis, sqlalchemy)
print(json.dumps({"path": sys.path, "files": [module.__file__ for module in modules]}))
"""

AUTHORITIES = Path("etc/ssl/certs/ca-certificates.crt")


@pytest.fixture(scope="module")
def image(venv: Venv) -> Iterator[BuiltImage]:
    """The image of each release in turn."""
    with built_image(venv.release) as image:
        yield image


@pytest.fixture(scope="module")
def container(image: BuiltImage, make_pod: Callable[..., Pod]) -> Container:
    """A container of the image with databases, a bucket and Secrets of its own."""
    container = Container(image=image, pod=make_pod())
    container.mount()
    return container


def locked_versions(release: str) -> dict[str, str]:
    """Versions by name of everything in the lock, whether this interpreter needs it or not."""
    lock = (ROOT / "image" / "releases" / release / "requirements.lock").read_text()
    return dict(re.findall(r"^([a-z0-9][a-z0-9.-]*)(?:\[[^]]*\])?==([^ ;\\]+)", lock, re.MULTILINE))


def test_image_runs_as_numeric_user_of_settings(image: BuiltImage) -> None:
    user = ServerSettings().user_id

    config = image.config

    assert config["User"] == f"{user}:{user}"
    assert config["Entrypoint"] == ["mlflow-sso"]
    assert config["WorkingDir"] == "/tmp"
    assert config["Labels"]["org.opencontainers.image.version"] == image.release
    assert config["Labels"]["org.opencontainers.image.base.name"] == image.base
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert re.fullmatch(r"[0-9a-f]{12}(-dirty)?|unknown", config["Labels"]["org.opencontainers.image.revision"])


def test_exactly_locked_versions_are_installed(image: BuiltImage, container: Container) -> None:
    locked = locked_versions(image.release)

    done = container.run("python", "-c", VERSIONS)

    installed = json.loads(done.stdout)
    assert installed.pop("mlflow-sso")
    assert installed["mlflow"] == image.release
    assert installed.items() <= locked.items()


def test_nothing_is_imported_from_base(container: Container) -> None:
    ours = "/opt/mlflow-sso/"

    done = container.run("python", "-c", PLACES)

    found = json.loads(done.stdout)
    packages = [place for place in found["path"] if "packages" in place]
    assert [place for place in packages if not place.startswith(ours)] == []
    assert [file for file in found["files"] if not file.startswith(ours)] == []


def test_every_module_is_installed_with_bytecode(image: BuiltImage) -> None:
    source = ROOT / "image" / "mlflow_sso"
    (installed,) = image.root.glob("opt/mlflow-sso/lib/python3.*/site-packages/mlflow_sso")

    modules = sorted(path.relative_to(source) for path in source.rglob("*.py"))

    assert sorted(path.relative_to(installed) for path in installed.rglob("*.py")) == modules
    assert len(list(installed.rglob("*.pyc"))) == len(modules)


def test_neither_compiler_nor_installer_nor_cache_is_left(image: BuiltImage) -> None:
    ours = image.root / "opt" / "mlflow-sso"

    tools = [path for name in ("pip*", "uv", "hatch*") for path in (ours / "bin").glob(name)]
    compilers = [path for name in ("cc", "gcc*", "g++*", "clang*") for path in image.root.glob(f"usr/bin/{name}")]
    caches = [image.root / name for name in ("root/.cache", "tmp/.cache", "opt/installer", "opt/source", "opt/wheels")]

    assert tools == []
    assert compilers == []
    assert [path for path in caches if path.exists()] == []
    assert list((image.root / "tmp").iterdir()) == []


def test_files_are_readonly_and_without_setuid(image: BuiltImage) -> None:
    files = [path for path in image.root.rglob("*") if not path.is_symlink()]

    changing = [path for path in files if path.is_file() and path.stat().st_mode & 0o6000]
    ours = [path for path in files if path.is_relative_to(image.root / "opt" / "mlflow-sso")]
    writable = [path for path in ours if path.stat().st_uid != 0 or path.stat().st_mode & 0o022]

    assert changing == []
    # An empty folder would have nothing that can be written, either.
    assert len(ours) > 1000
    assert writable == []


def test_what_build_was_given_stays_out_of_image(image: BuiltImage) -> None:
    description = describe(image.reference)["OCIv1"]

    with mounted(image.base) as base:
        trusted = [hashlib.sha256((root / AUTHORITIES).read_bytes()).hexdigest() for root in (base, image.root)]

    assert trusted[0] == trusted[1]
    assert [name for name in image.environment if name.startswith("PIP_")] == []
    assert "PIP_" not in json.dumps(description)
    assert not (image.root / "etc" / "pip.conf").exists()


def test_console_command_is_on_path(container: Container) -> None:
    command = ["mlflow-sso", "--help"]

    done = container.run(*command)

    assert done.code == 0
    assert "wait-for-schema" in done.stdout
