"""A setting that is given changes a manifest, is refused, or is read by a program that is named here."""

import ast
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.synth.render import render
from tests.manifests.bases import BASES, MORE, base, is_taken, value_of, with_setting
from tests.manifests.other_values import SECTIONS, leaves, others
from tests.manifests.readers import READERS

ROOT = Path(__file__).parents[2]

PARTS = 1 if os.environ.get("DEPTH") == "all" else 90
"""A change is tried with every ninetieth setting of each environment, another one in each; a night with all of them."""

AGREES: Mapping[str, Callable[[Settings, Any], bool]] = {
    # Off without a directory client, and switched off once more.
    "maintenance.end_access": lambda before, value: not (value or before.ends_access),
    # Without a role in its annotations, a ServiceAccount may have either; the policy allows for both.
    "artifacts.credentials": lambda before, value: "keys" not in (value, before.artifacts.credentials),
    # Pods speak S3 to both; bootstrap makes a user and a policy in MinIO only.
    "artifacts.kind": lambda before, value: {value, before.artifacts.kind} == {"minio", "s3"},
}
"""Values that mean the same to pods as the one before."""


def tree(document: dict[str, Any], folder: Path) -> dict[str, str]:
    """Every file that is rendered, by its path."""
    render(Settings.model_validate(document), environment="test", folder=folder)
    files = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    for path in files:
        (folder / path).unlink()
    return files


def tried(name: str) -> Iterator[tuple[str, Any]]:
    """The settings, each with its type, that a run of this depth changes in the environment ``name``."""
    turn = zlib.crc32(name.encode())
    for number, leaf in enumerate(leaves()):
        if (number + turn) % PARTS == 0:
            yield leaf


def with_section(document: dict[str, Any], key: str) -> dict[str, Any]:
    """``document`` with the optional section that ``key`` is in."""
    section = key.rpartition(".")[0]
    is_absent = section in SECTIONS and value_of(Settings.model_validate(document), section) is None
    return with_setting(document, section, SECTIONS[section]) if is_absent else document


def asks(key: str, before: Settings, value: Any) -> bool:
    """Whether ``value`` asks for something else: nothing beside what is off says the same once more."""
    agrees = AGREES.get(key)
    return value not in (None, (), {}, value_of(before, key)) and not (agrees and agrees(before, value))


def silent(name: str, folder: Path) -> Iterator[str]:
    """Settings and values that are taken and change nothing."""
    rendered = cache(lambda text: tree(ast.literal_eval(text), folder))
    for key, annotation in tried(name):
        before = with_section(base(name), key)
        if key in READERS or not is_taken(before):
            continue
        settings = Settings.model_validate(before)
        for value in others(key, annotation, value_of(settings, key)):
            after = with_setting(before, key, value)
            if not asks(key, settings, value) or not is_taken(after):
                continue
            if tree(after, folder) == rendered(repr(before)):
                yield f"{key}: {value}"


@pytest.mark.parametrize("name", [*BASES, *MORE])
def test_setting_changes_a_manifest_or_is_refused(name: str, tmp_path: Path) -> None:
    assert list(silent(name, tmp_path)) == []


@pytest.mark.parametrize("name", [*BASES, *MORE])
def test_environment_is_taken(name: str) -> None:
    try:
        Settings.model_validate(base(name))
    except ValidationError as refused:
        pytest.fail(str(refused))


@pytest.mark.parametrize(("key", "module"), READERS.items())
def test_reader_reads_its_setting(key: str, module: str) -> None:
    nodes = ast.walk(ast.parse((ROOT / module).read_text()))

    read = {node.attr for node in nodes if isinstance(node, ast.Attribute)}

    assert key.rpartition(".")[2] in read


def test_every_setting_has_another_value() -> None:
    missing = [key for key, annotation in leaves() if not others(key, annotation, None) and not is_flag(annotation)]

    assert missing == []


def is_flag(annotation: Any) -> bool:
    """Whether the setting is a boolean, whose other value follows from the one that it has."""
    return annotation is bool
