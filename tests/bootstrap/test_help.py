"""How light the command line is: it helps without the libraries of any system, and never loads cdk8s."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = ("plan", "apply", "verify", "secrets", "keycloak", "postgres", "minio", "rotate", "destroy", "export")
LIBRARIES = ("cdk8s", "cdk8s_plus_27", "jsii", "minio", "psycopg", "keycloak", "hvac", "kubernetes", "pydantic")
HELP = """
import sys
from mlflow_bootstrap.cli import app
app(["--help"], standalone_mode=False)
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""
EVERYTHING = """
import importlib, pkgutil, sys
import mlflow_bootstrap
for module in pkgutil.walk_packages(mlflow_bootstrap.__path__, "mlflow_bootstrap."):
    importlib.import_module(module.name)
print(*sorted({name.partition(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def _run(script: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)


@pytest.fixture(scope="module")
def helped() -> "subprocess.CompletedProcess[str]":
    """The help on standard output, and on the other the names of all packages that were loaded for it."""
    return _run(HELP)


@pytest.mark.parametrize("library", LIBRARIES)
def test_help_loads_no_library_of_any_system(helped: "subprocess.CompletedProcess[str]", library: str) -> None:
    assert library not in helped.stderr.split()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_every_command(helped: "subprocess.CompletedProcess[str]", command: str) -> None:
    assert f"  {command} " in helped.stdout


def test_no_module_of_bootstrap_loads_cdk8s() -> None:
    loaded = _run(EVERYTHING).stderr.split()

    # Otherwise nothing was imported, and the next line would hold for that.
    assert {"minio", "psycopg", "keycloak", "hvac", "kubernetes"} <= set(loaded)
    assert not {"cdk8s", "cdk8s_plus_27", "jsii"} & set(loaded)
