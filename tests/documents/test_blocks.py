"""Every fenced block of README and docs is tried somewhere, and names only what exists."""

import json
import re
from functools import cache
from operator import attrgetter
from pathlib import Path

import pytest
import yaml
from blocks import Block, block, blocks
from commands import ROOT
from where_tried import BY_BEGINNING, WHERE_TRIED, By, where_tried

from cdk8s_mlflow.settings import Settings, load

LANGUAGES = ("sh", "yaml", "python", "text", "ini", "sql", "json", "hcl")
COMMANDS = [(one, command) for one in blocks() for command in one.commands]
KUBECTL = [command for _, command in COMMANDS if "kubectl" in command]
YAML = [one for one in blocks() if one.language == "yaml"]
SECTIONS = Settings.model_fields.keys()
REQUIRED = {"ingress": {"host": "mlflow.example.com"}, "authentication": {"keycloak_host": "auth.example.com"}}
NOT_OURS = {"postgres-cluster-rw", "mlflow-restore", "mlflow-fsck", "mlflow-dump-now", "mlflow-dump"}
"""Objects of CloudNativePG, those that the reader creates, and the dump, which is off by default."""


@cache
def objects(environment: str = "production") -> set[str]:
    """Names of the objects of an environment's manifests."""
    files = (ROOT / "dist" / environment).rglob("*.k8s.yaml")
    return {document["metadata"]["name"] for file in files for document in yaml.safe_load_all(file.read_text())}


def test_blocks_name_their_language() -> None:
    unnamed = [str(one) for one in blocks() if one.language not in LANGUAGES]

    assert unnamed == [], f"write one of {', '.join(LANGUAGES)} behind the fence: commands are sh, other text is text"


def test_commands_are_blocks_of_shell() -> None:
    programs = re.compile(r"(make|kubectl|python|pip|curl|bootstrap\.py|main\.py|cdk8s-mlflow) ")
    hidden = [str(one) for one in blocks() if one.language == "text" and programs.match(one.text)]

    assert hidden == [], "a block that begins with a command is sh"


def test_commands_have_row() -> None:
    without = [f"{one.document}: {command}" for one, command in COMMANDS if where_tried(command) is None]

    assert without == [], "say in tests/documents/where_tried.py which test runs it, or why none does"


def test_names_in_commands_are_defaults() -> None:
    table = (ROOT / "docs/runbooks/index.md").read_text()
    rows = re.findall(r"^\| (.*) \| `([\w.]+)` \| `(\S+)` \|$", table, re.M)
    settings = Settings.model_validate(REQUIRED)

    wrong = [(name, default) for _, name, default in rows if attrgetter(name)(settings) != default]

    # A table that the pattern no longer reads would have no wrong row.
    assert len(rows) == 6
    assert wrong == []
    assert all(default in shown for shown, _, default in rows)


def test_rows_have_command() -> None:
    shown = [command for _, command in COMMANDS]

    assert [row for row in WHERE_TRIED if row not in shown] == []
    assert [row for row in BY_BEGINNING if not any(command.startswith(row) for command in shown)] == []


def test_rows_name_tests_that_exist() -> None:
    rows = {row for row in [*WHERE_TRIED.values(), *BY_BEGINNING.values()] if isinstance(row, By)}

    missing = [row for row in rows if not re.search(rf"^def {row.function}", (ROOT / row.file).read_text(), re.M)]

    assert missing == []


@pytest.mark.parametrize("command", KUBECTL)
def test_kubectl_names_objects_of_dist(command: str) -> None:
    kinds = "deploy|deployment|cronjob|job|service|externalsecret|pod"
    named = set(re.findall(rf"\b(?:{kinds})[/ ](mlflow[\w-]*|postgres[\w-]*)", command))

    assert named - NOT_OURS <= objects()


@pytest.mark.parametrize("command", KUBECTL)
def test_kubectl_applies_files_of_dist(command: str) -> None:
    # The reader's environment, which has the same files.
    files = re.findall(r"-f (dist/\S+)", command.replace("dist/staging", "dist/production"))

    assert [file for file in files if not (ROOT / file).exists()] == []


def test_manifests_without_delivery_come_in_order() -> None:
    first, second = block("docs/delivery.md", "kubectl apply --server-side").commands

    assert "application/Namespace." in first
    assert second.index("/database/") < second.index("/application/")


@pytest.mark.parametrize("shown", YAML, ids=str)
def test_yaml_of_settings_is_accepted(shown: Block, tmp_path: Path) -> None:
    # A digest stands for the reader's own in the guides.
    (document,) = yaml.safe_load_all(shown.text.replace("sha256:…", f"sha256:{'0' * 64}"))
    if not document.keys() <= SECTIONS:
        assert document.keys() & SECTIONS == set(), "settings beside other keys"
        return
    merged = {**REQUIRED, **document}
    # A section that is shown need not repeat what every environment has.
    merged["ingress"] = {**REQUIRED["ingress"], **merged["ingress"]}

    file = tmp_path / "production.yaml"
    # JSON is YAML.
    file.write_text(json.dumps(merged))

    assert load(file).model_fields_set >= document.keys()


def test_guide_shows_lines_of_its_example() -> None:
    program = (ROOT / "docs" / "examples" / "train_iris.py").read_text()
    names = {'"iris-classifier"': "model_name", '"iris"': "experiment", '"models:/iris': 'f"models:/iris'}
    lines = block("docs/use.md", "mlflow.set_experiment").text.splitlines()

    unknown = [line for line in map(str.strip, lines) if line and _renamed(line, names) not in _flat(program)]

    # The program keeps the score, its folder and the client in variables.
    assert [line.split("(")[0] for line in unknown] == [
        "with mlflow.start_run",
        "mlflow.log_metric",
        "mlflow.log_artifact",
        "MlflowClient",
    ]


def _renamed(line: str, names: dict[str, str]) -> str:
    for shown, used in names.items():
        line = line.replace(shown, used)
    return line.replace("models:/iris-classifier/", "models:/{model_name}/")


def _flat(program: str) -> str:
    return "\n".join(line.strip() for line in program.splitlines())


def test_python_blocks_compile() -> None:
    for one in blocks():
        if one.language == "python":
            compile(one.text, one.document, "exec")


def test_every_example_is_shown_in_guide() -> None:
    guide = (ROOT / "docs" / "use.md").read_text()
    programs = [file.name for file in Path(ROOT / "docs" / "examples").glob("*.py")]

    assert [name for name in programs if f"(examples/{name})" not in guide] == []
