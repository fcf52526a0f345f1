"""The JSON Schema of an environment file, for editors that complete and check it, and docs/settings.md."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from cdk8s_mlflow.settings.descriptions import describe
from cdk8s_mlflow.settings.extra_environment import HARMLESS, HARMLESS_ON
from cdk8s_mlflow.settings.validated import Settings

SCHEMA_FILE = "environment.schema.json"
FIRST_LINE = f"# yaml-language-server: $schema={SCHEMA_FILE}"
"""First line of every environment file, which YAML language servers read."""


_HEAD = """# Settings

Every key of an environment file (`make schema` writes this page): the sections, then each key.

"""


_TABLE_HEAD = """
## Keys

| key | type | default | what it does |
|---|---|---|---|
"""


_VARIABLES_HEAD = """
## Variables of `server.extra_environment`

Any other is refused: it follows from a setting, moves a route, a host, a header, a store or code, or is not known.

| read by | variables |
|---|---|
"""


def schema_text() -> str:
    """The schema as it is committed."""
    schema = _schema()
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=2) + "\n"


def _schema() -> dict[str, Any]:
    describe(Settings)
    return Settings.model_json_schema()


def settings_table() -> str:
    """The sections, and every key with its type, default and doc, as Markdown."""
    schema = _schema()
    rows = "\n".join(_rows(schema, schema, ""))
    return f"{_HEAD}{_summary()}{_TABLE_HEAD}{rows}\n{_variables()}"


def _variables() -> str:
    """The variables that ``server.extra_environment`` may hold."""
    own = {f"only release {name}": found for name, found in HARMLESS_ON.items() if found}
    rows = [f"| {where} | {_listed(found)} |\n" for where, found in {"both releases": HARMLESS, **own}.items()]
    return _VARIABLES_HEAD + "".join(rows)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _summary() -> str:
    root = _schema()
    fields = root["properties"]
    parts = {name: (_section(field, root) or {}).get("properties", {}) for name, field in fields.items()}
    rows = [f"| `{name}` | {_text(fields[name], root)} | {_keys(keys)} |" for name, keys in parts.items()]
    return "\n".join(["| section | what it is | keys |", "|---|---|---|", *rows]) + "\n"


def _keys(properties: dict[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in properties)


def _rows(schema: dict[str, Any], root: dict[str, Any], above: str) -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        key = f"{above}.{name}" if above else name
        section = _section(field, root)
        # An optional section has a row of its own, which says what leaving it out means.
        if section is None or "default" in field:
            yield f"| `{key}` | {_type(field, root)} | {_default(field, name, schema)} | {_text(field, root)} |"
        if section is not None:
            yield from _rows(section, root, key)


def _section(field: dict[str, Any], root: dict[str, Any]) -> dict[str, Any] | None:
    for option in [field, *field.get("anyOf", [])]:
        reference = option.get("$ref")
        if reference:
            found: dict[str, Any] = root["$defs"][reference.rsplit("/", 1)[1]]
            return found if "properties" in found else None
    return None


def _type(field: dict[str, Any], root: dict[str, Any]) -> str:
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(dict.fromkeys(_type(option, root) for option in field["anyOf"]))
    names = {"array": "list", "object": "mapping", "string": "text", "null": "null", "integer": "whole number"}
    kind = str(field.get("type", "section"))
    return names.get(kind, kind)


def _default(field: dict[str, Any], name: str, schema: dict[str, Any]) -> str:
    if name in schema.get("required", []):
        return "required"
    value = field.get("default")
    if "x-follows-instance" in field:
        return f"`{json.dumps(value)}`, follows `instance`"
    return "" if value is None or (isinstance(value, dict) and len(value) > 1) else f"`{json.dumps(value)}`"


def _text(field: dict[str, Any], root: dict[str, Any]) -> str:
    section = _section(field, root) or {}
    text: str = field.get("description") or section.get("description", "")
    return " ".join(text.split()).replace("|", "\\|")
