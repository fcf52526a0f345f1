"""The locks: complete, hashed, free of addresses, and importable as a whole."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from pod import ROOT, Venv

LOCKS = sorted((ROOT / "image").glob("**/*.lock"))
IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import alembic, boto3, mlflow.server, prometheus_flask_exporter, psycopg2, redis, sqlalchemy
import mlflow_sso
for name in ("mlflow_oidc_auth", "mlflow_oidc_auth.app", "mlflow_oidc_auth.db.cli", "mlflow_oidc_auth.store"):
    importlib.import_module(name)
skipped = {"mlflow_sso.__main__", "mlflow_sso.serve.application"}
modules = {module.name for module in pkgutil.walk_packages(mlflow_sso.__path__, "mlflow_sso.")} - skipped
for name in sorted(modules):
    importlib.import_module(name)
print(mlflow.__version__, len(modules))
"""


def test_every_lock_is_here() -> None:
    names = [str(path.relative_to(ROOT / "image")) for path in LOCKS]

    kinds = ("azure", "gcs", "requirements")
    own = (f"releases/{release}/{name}.lock" for release in ("3.17.2", "3.6.0") for name in kinds)
    assert names == ["build/requirements.lock", *own]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_lock_pins_by_version_and_hash(lock: Path) -> None:
    text = lock.read_text()

    entries = re.split(r"\n(?=[a-z0-9])", "\n" + re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE))[1:]

    assert len(entries) > 3
    assert [entry for entry in entries if not re.match(r"[a-z0-9._-]+(\[[a-z0-9,-]+\])?==[^ ]+ ", entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links", text) == []


OF_STORES = {
    "azure": {"azure-core", "azure-identity", "azure-storage-blob", "isodate", "msal", "msal-extensions"},
    "gcs": {
        "google-api-core",
        "google-cloud-core",
        "google-cloud-storage",
        "google-crc32c",
        "google-resumable-media",
        "googleapis-common-protos",
        "proto-plus",
    },
}
"""What the lock of a store adds to that of a release, unless the release has it."""


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[a-z0-9,-]+\])?==([^ ]+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("store", OF_STORES)
def test_store_lock_repeats_pins_of_the_release(store: str) -> None:
    for lock in (path for path in LOCKS if path.stem == store):
        release, own = pins(lock.with_name("requirements.lock")), pins(lock)

        assert {name: release[name] for name in own.keys() & release.keys()} == {
            name: version for name, version in own.items() if name in release
        }
        assert own.keys() - release.keys() == OF_STORES[store] - release.keys()


def test_locks_of_stores_agree_with_each_other() -> None:
    for lock in (path for path in LOCKS if path.stem == "gcs"):
        one, other = pins(lock), pins(lock.with_name("azure.lock"))

        assert {name: one[name] for name in one.keys() & other.keys()} == {
            name: version for name, version in other.items() if name in one
        }


# A change installs both locks before its tests.
@pytest.mark.servers
@pytest.mark.either_release
def test_fresh_environment_from_lock_imports_everything(venv: Venv, tmp_path: Path) -> None:
    # The set-up installs uv only if there is none.
    uv = shutil.which("uv") or ROOT / ".venv" / "bin" / "uv"
    lock = ROOT / "image" / "releases" / venv.release / "requirements.lock"
    python = tmp_path / "fresh" / "bin" / "python"
    # The plugin reads both as it is imported.
    environment = {**os.environ, "OIDC_USERS_DB_URI": f"sqlite:///{tmp_path}/users.db", "SECRET_KEY": "for-the-import"}

    subprocess.run([uv, "venv", "--quiet", "--python", venv.python.resolve(), tmp_path / "fresh"], check=True)
    options = ["--quiet", "--only-binary", ":all:", "--require-hashes", "--python", python]
    subprocess.run([uv, "pip", "install", *options, "--requirement", lock], check=True)
    done = subprocess.run(
        [python, "-c", IMPORT_EVERYTHING, ROOT / "image"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    version, modules = done.stdout.split()[-2:]
    assert version == venv.release
    assert int(modules) > 30
