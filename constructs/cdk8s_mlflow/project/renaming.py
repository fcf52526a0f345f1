"""Renamed and removed settings in an environment file, its comments kept."""

from collections.abc import Collection, Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from cdk8s_mlflow.settings import InvalidSettingsError, Problem
from cdk8s_mlflow.settings.sources import read_document


def renamed_text(
    path: Path, renamed: Mapping[str, str], removed: Collection[str] = ()
) -> tuple[str, dict[str, str], list[str]]:
    """The text of ``path`` in the words of now, with the keys of ``renamed`` and of ``removed`` that it had.

    Raises:
        UnreadableSettingsError: the file cannot be read.
        InvalidSettingsError: both the old and the new key of a setting are set.
    """
    document = read_document(path)
    present = {old: new for old, new in renamed.items() if _has(document, old)}
    gone = [key for key in removed if _has(document, key)]
    text = path.read_text(encoding="utf-8")
    if not present and not gone:
        return text, {}, []
    both = [(old, new) for old, new in present.items() if _has(document, new)]
    if both:
        raise InvalidSettingsError(
            [Problem(str(path), old, f"is called {new} now, which is set, too; remove {old}") for old, new in both]
        )
    return _changed(text, present, gone), present, gone


def _changed(text: str, renamed: Mapping[str, str], removed: Iterable[str]) -> str:
    yaml = YAML()
    yaml.preserve_quotes = True
    # The writer would fold long lines that the user has not.
    yaml.width = 1 << 16
    # Lists indented below their key, as `init` writes them.
    yaml.indent(mapping=2, sequence=4, offset=2)
    root = yaml.load(text)
    for old, new in renamed.items():
        _move(root, old.split("."), new.split("."))
    for key in removed:
        _take(root, key.split("."))
    result = StringIO()
    yaml.dump(root, result)
    return result.getvalue()


def _has(document: Any, key: str) -> bool:
    first, _, rest = key.partition(".")
    if not isinstance(document, Mapping) or first not in document:
        return False
    return _has(document[first], rest) if rest else True


def _move(root: CommentedMap, old: list[str], new: list[str]) -> None:
    source, target = _section(root, old[:-1]), _section(root, new[:-1])
    # A setting that is only renamed keeps its line in the file.
    place = list(source).index(old[-1]) if target is source else len(target)
    value, comment = _take(root, old)
    target.insert(place, new[-1], value)
    # ruamel.yaml keeps the comment behind a key in a table by name, which `insert` does not move.
    if comment is not None:
        target.ca.items[new[-1]] = comment


def _take(root: CommentedMap, key: list[str]) -> tuple[Any, Any]:
    """Remove a setting, and its section if that is empty then; the value and the comment behind it."""
    source = _section(root, key[:-1])
    comment = source.ca.items.pop(key[-1], None)
    value = source.pop(key[-1])
    if not source and len(key) > 1:
        del _section(root, key[:-2])[key[-2]]
    return value, comment


def _section(root: CommentedMap, keys: list[str]) -> CommentedMap:
    section = root
    for key in keys:
        section = section.setdefault(key, CommentedMap())
    return section
