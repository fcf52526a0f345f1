"""The variables that each release reads: those that may be set, and those at which `serve` does not start."""

import ast
import re
from pathlib import Path

import pytest
from pod import Venv

from cdk8s_mlflow.settings.extra_environment import HARMLESS, harmless, refusal
from cdk8s_mlflow.settings.variable_values import SWITCH, VALUES
from mlflow_sso.serve.preflight import HARMLESS as HARMLESS_VALUES
from mlflow_sso.serve.preflight import HOLES, holes

needs_release = pytest.mark.servers
"""Reads an installed release, which `make test` does not set up."""

OF_THE_PROCESS = ("AWS_", "LANG", "LC_", "MALLOC_", "OMP_", "OPENBLAS_", "MKL_", "HTTPS_", "https_", "NO_", "no_")
"""Beginnings of harmless variables that Python, boto3 or the C library read."""


NAME = re.compile(r"_?[A-Z]+_[A-Z0-9_]+")
REMEDY = re.compile(r"remove it|did you mean")


def names_in(file: Path) -> set[str]:
    """Every text of a module that looks like the name of a variable."""
    texts = [node.value for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Constant)]
    return {text for text in texts if isinstance(text, str) and NAME.fullmatch(text)}


@pytest.fixture(scope="module")
def read_by_release(venv: Venv) -> set[str]:
    """What MLflow and the plugin of the release read."""
    (packages,) = venv.path.glob("lib/python3*/site-packages")
    return names_in(packages / "mlflow/environment_variables.py") | names_in(packages / "mlflow_oidc_auth/config.py")


@needs_release
def test_harmless_variables_are_read_by_release(venv: Venv, read_by_release: set[str]) -> None:
    products = {name for name in harmless(venv.release) if not name.startswith(OF_THE_PROCESS)}

    assert products - read_by_release == set()


@needs_release
def test_every_other_variable_is_refused(venv: Venv, read_by_release: set[str]) -> None:
    answers = {name: refusal(name, venv.release) for name in read_by_release - harmless(venv.release)}

    # So that it is noticed if no variable of a release is found.
    assert len(answers) > 150
    assert {name for name, answer in answers.items() if not REMEDY.search(answer)} == set()


@needs_release
def test_variables_of_plugin_are_refused_by_name(venv: Venv) -> None:
    (packages,) = venv.path.glob("lib/python3*/site-packages")
    plugin = names_in(packages / "mlflow_oidc_auth/config.py") - harmless(venv.release)

    unknown = {name for name in plugin if "_" in name and "is not known" in refusal(name, venv.release)}

    assert unknown <= NO_VARIABLES


# A permission of the plugin's, whose name only looks like a variable's.
NO_VARIABLES = {"NO_PERMISSIONS"}


def kinds_in(file: Path) -> dict[str, str]:
    """Of each variable of MLflow's the type that its value is read as, such as ``int``."""
    kinds = {}
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Call(func=ast.Name(id="_BooleanEnvironmentVariable"), args=[ast.Constant(value=str(name)), *_]):
                kinds[name] = "bool"
            case ast.Call(
                func=ast.Name(id="_EnvironmentVariable"),
                args=[ast.Constant(value=str(name)), ast.Name(id=kind), *_],
            ):
                kinds[name] = kind
    return kinds


@needs_release
def test_values_are_those_that_release_reads(venv: Venv) -> None:
    (packages,) = venv.path.glob("lib/python3*/site-packages")
    kinds = kinds_in(packages / "mlflow/environment_variables.py")
    read = {name: kinds[name] for name in harmless(venv.release) if name in kinds}
    whole = {name for name, kind in read.items() if kind == "int"}

    assert {name for name, kind in read.items() if kind == "bool"} == {n for n in read if VALUES[n] is SWITCH}
    assert len(whole) > 10
    assert {
        n for n in whole if not VALUES[n].takes("99999999") or VALUES[n].takes("1.5") or VALUES[n].takes("")
    } == set()


@pytest.mark.parametrize("name", sorted(HARMLESS_VALUES))
def test_holes_name_variable_and_reason(name: str) -> None:
    (line,) = holes({name: "/somewhere"})

    assert line.startswith(f"{name} ")
    assert line.endswith(": remove it")
    assert name not in HARMLESS


@pytest.mark.parametrize("name", sorted(HARMLESS_VALUES))
def test_holes_pass_harmless_values(name: str) -> None:
    lines = [line for value in HARMLESS_VALUES[name] for line in holes({name: f" {value.upper()} "})]

    assert lines == []


@pytest.mark.parametrize("value", ["", "yes", "false", "off"])
def test_holes_read_switches_like_plugin(value: str) -> None:
    assert list(holes({"OIDC_VERIFY_SSL": value})) == [
        "OIDC_VERIFY_SSL trusts every certificate of Keycloak: remove it"
    ]


def test_holes_name_private_variables() -> None:
    given = {"_MLFLOW_STATIC_PREFIX": "/x", "_MLFLOW_SERVER_ARTIFACT_ROOT": "", "MLFLOW_TRACKING_URI": "x"}

    assert [line.split()[0] for line in holes(given)] == ["_MLFLOW_SERVER_ARTIFACT_ROOT", "_MLFLOW_STATIC_PREFIX"]


@needs_release
def test_holes_are_refused_in_environment_files(venv: Venv) -> None:
    answers = {name: refusal(name, venv.release) for name in HOLES}

    assert {name for name, answer in answers.items() if "is not known" in answer} == set()
