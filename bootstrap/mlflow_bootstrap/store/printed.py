"""For people with neither Vault nor a cluster at hand: the Secrets in a new file that only its owner may read."""

import os
from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.errors import UsageError
from mlflow_bootstrap.store.entries import all_secret_templates
from mlflow_bootstrap.store.entry import Entry


class PrintedStore:
    """Collects entries and writes the very Secrets that External Secrets would create of them.

    Raises:
        UsageError: the file already exists, or cannot be created.
    """

    kind = "file"

    def __init__(self, settings: Settings, path: Path) -> None:
        self._settings, self._path = settings, path
        self._entries: dict[str, Entry] = {}
        self._create()

    def _create(self) -> None:
        try:
            # Created with its mode, not changed afterwards: there is no moment in which others may read it.
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError as error:
            raise UsageError(
                f"{self._path} already exists", remedy="name a new file; nothing is ever overwritten"
            ) from error
        except OSError as error:
            raise UsageError(
                f"cannot create {self._path} ({(error.strerror or 'unknown').lower()})", remedy="check the folder"
            ) from error

    def read(self, name: str) -> Entry | None:
        """What was written in this run."""
        return self._entries.get(name)

    def write(self, name: str, values: Mapping[str, str], *, expected: Entry | None) -> None:
        """Keep the entry, and write the file anew."""
        self._entries[name] = Entry(dict(values), len(self._entries), marks=None)
        yaml = YAML()
        # The writer would fold long values, which some readers join with a space.
        yaml.width = 4096
        with self._path.open("w", encoding="utf-8") as file:
            yaml.dump_all(self._secrets(), file)

    def mark(self, name: str, marks: Mapping[str, str]) -> None:
        """The file is of this run, so nothing in it needs a mark."""

    def restore(self, name: str, version: str) -> None:
        """There is one version."""

    def delete(self, name: str) -> None:
        """Forget the entry."""
        self._entries.pop(name, None)

    def _secrets(self) -> list[dict[str, object]]:
        return [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": template.name, "namespace": template.namespace, "labels": dict(template.labels)},
                "type": template.type,
                "stringData": template.render(self._entries[template.entry].values),
            }
            for template in all_secret_templates(self._settings)
            if template.entry in self._entries
        ]
