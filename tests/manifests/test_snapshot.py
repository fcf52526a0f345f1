"""dist/ is the snapshot: what the settings say today is what is committed."""

import filecmp
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from cdk8s_mlflow.settings import load
from cdk8s_mlflow.settings.schema import FIRST_LINE, SCHEMA_FILE, schema_text, settings_table
from cdk8s_mlflow.synth.output_tree import differences
from cdk8s_mlflow.synth.render import render

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = sorted((ROOT / "environments").glob("*.yaml"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fresh")
    for file in ENVIRONMENTS:
        render(load(file), environment=file.stem, folder=folder / file.stem)
    return folder


def test_dist_is_what_settings_say(fresh: Path) -> None:
    assert differences(fresh, ROOT / "dist") == []


def test_second_render_in_another_process_gives_same_bytes(fresh: Path, tmp_path: Path) -> None:
    # Another process has another seed of hashes, on which the order of sets depends.
    subprocess.run([sys.executable, "-O", "-m", "cdk8s_mlflow.synth.worker", tmp_path, *ENVIRONMENTS], check=True)

    assert differences(fresh, tmp_path) == []
    comparison = filecmp.dircmp(fresh, tmp_path)
    assert comparison.left_only == comparison.right_only == []


def test_schema_and_table_of_settings_are_current() -> None:
    assert (ROOT / "environments" / SCHEMA_FILE).read_text() == schema_text()
    assert (ROOT / "docs" / "settings.md").read_text() == settings_table()


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_every_environment_names_its_schema_first(file: Path) -> None:
    assert file.read_text().splitlines()[0] == FIRST_LINE


def test_editors_accept_every_environment_and_refuse_unknown_key() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(schema_text()))
    documents = [yaml.safe_load(file.read_text()) for file in ENVIRONMENTS]

    assert [error.message for document in documents for error in validator.iter_errors(document)] == []
    assert not validator.is_valid({**documents[0], "servers": {}})
