"""The files that say which settings there are: the JSON Schema, and the tables for people."""

from pathlib import Path

from cdk8s_mlflow.importing.page import page
from cdk8s_mlflow.settings import Problem, UnreadableSettingsError
from cdk8s_mlflow.settings.schema import SCHEMA_FILE, schema_text, settings_table
from cdk8s_mlflow.synth.output_tree import OutputError


def write_schema(environments: Path, docs: Path) -> list[Path]:
    """Write the schema into ``environments``, and the tables of ``docs`` if they exist.

    Returns what was written.

    Raises:
        UnreadableSettingsError: there is no folder ``environments``.
        OutputError: a file cannot be written.
    """
    if not environments.is_dir():
        message = "no such folder; run this where your environment files are, or name the folder with --environments"
        raise UnreadableSettingsError([Problem(str(environments), "", message)])
    texts = {environments / SCHEMA_FILE: schema_text()}
    if (docs / "settings.md").is_file():
        texts[docs / "settings.md"] = settings_table()
    if (docs / "other-charts.md").is_file():
        texts[docs / "other-charts.md"] = page()
    for path, text in texts.items():
        _write(path, text)
    return list(texts)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"cannot write {path} ({(error.strerror or str(error)).lower()}); check its permissions"
        ) from error
