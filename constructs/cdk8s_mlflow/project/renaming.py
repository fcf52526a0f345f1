"""Renamed settings in an environment file, its comments kept."""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from cdk8s_mlflow.settings import InvalidSettingsError, Problem
from cdk8s_mlflow.settings.sources import read_document


def renamed_text(path: Path, renamed: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """The text of ``path`` with the keys of ``renamed`` in place of the old ones, and those that it has.

    Raises:
        UnreadableSettingsError: the file cannot be read.
        InvalidSettingsError: both the old and the new key of a setting are set.
    """
    document = read_document(path)
    present = {old: new for old, new in renamed.items() if _has(document, old)}
    text = path.read_text(encoding="utf-8")
    if not present:
        return text, {}
    both = [(old, new) for old, new in present.items() if _has(document, new)]
    if both:
        raise InvalidSettingsError(
            [Problem(str(path), old, f"is called {new} now, which is set, too; remove {old}") for old, new in both]
        )
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1 << 16
    yaml.indent(mapping=2, sequence=4, offset=2)
    root = yaml.load(text)
    for old, new in present.items():
        _move(root, old.split("."), new.split("."))
    result = StringIO()
    yaml.dump(root, result)
    return result.getvalue(), present


def _has(document: Any, key: str) -> bool:
    first, _, rest = key.partition(".")
    if not isinstance(document, Mapping) or first not in document:
        return False
    return _has(document[first], rest) if rest else True


def _move(root: CommentedMap, old: list[str], new: list[str]) -> None:
    source = _section(root, old[:-1])
    place = list(source).index(old[-1])
    comment = source.ca.items.pop(old[-1], None)
    value = source.pop(old[-1])
    target = _section(root, new[:-1])
    target.insert(place if target is source else len(target), new[-1], value)
    if comment is not None:
        target.ca.items[new[-1]] = comment
    if not source and len(old) > 1:
        del _section(root, old[:-2])[old[-2]]


def _section(root: CommentedMap, keys: list[str]) -> CommentedMap:
    section = root
    for key in keys:
        section = section.setdefault(key, CommentedMap())
    return section
