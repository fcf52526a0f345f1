"""What each room imports is a declared dependency, and each dependency is declared once."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
OURS = {"cdk8s_mlflow", "cdk8s_mlflow_crds", "mlflow_bootstrap", "mlflow_sso", "live"}


def normal(requirement: str) -> str:
    """The name in a requirement, as package indexes spell it."""
    name = re.split(r"[\[<>=!~; ]", requirement.strip(), maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


def listed(name: str) -> list[str]:
    """The requirements in a file of requirements/."""
    lines = (ROOT / "requirements" / f"{name}.in").read_text().splitlines()
    return [normal(line) for line in lines if line and not line.startswith(("#", "-r"))]


RUN = [normal(requirement) for requirement in PROJECT["project"]["dependencies"]]
ROOMS = {
    "constructs": RUN,
    "bootstrap": RUN,
    "live": [*RUN, *listed("dev"), *listed("servers")],
    "benchmarks": [*RUN, *listed("dev"), *listed("servers")],
    "tests": [*RUN, *listed("run"), *listed("dev"), *listed("servers")],
}


def imported(room: str) -> Iterator[str]:
    """Top-level names that the files of a room import."""
    for file in (ROOT / room).rglob("*.py"):
        if "other_app" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


@pytest.mark.parametrize("room", ROOMS)
def test_imports_are_declared(room: str) -> None:
    # What only the image's own environments have is in image/releases/.
    installed = packages_distributions()
    names = {name for name in imported(room) if name in installed} - OURS - set(sys.stdlib_module_names)

    undeclared = {name for name in names if not {normal(d) for d in installed[name]} & set(ROOMS[room])}

    assert undeclared == set()


def test_dependencies_are_declared_once() -> None:
    everywhere = [*RUN, *listed("run"), *listed("dev"), *listed("servers")]

    assert sorted(everywhere) == sorted(set(everywhere))


def test_lock_holds_every_dependency() -> None:
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements" / "run.lock").read_text(), re.MULTILINE))

    assert [name for name in RUN if name not in {normal(one) for one in locked}] == []
