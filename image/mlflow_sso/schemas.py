"""The two databases and the revisions that this image knows, read from the packages without importing them.

Importing MLflow takes seconds; whether a database is up to date is a comparison of two strings.
"""

import ast
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from mlflow_sso.errors import TerminalError, UsageError
from mlflow_sso.secrets_root import SecretsRoot

_HOST = r"(\[[0-9a-fA-F:.%]+\]|[^:@,\[\]]*)(:[0-9]*)?"
_AUTHORITY = re.compile(rf"([^@:]*(:[^@:]*)?@)?{_HOST}(,{_HOST})*")
"""Of a URI of libpq (PostgreSQL, "Connection URIs"): login, and hosts with their ports."""


@dataclass(frozen=True, kw_only=True)
class Schema:
    """One database: how it is reached, and the alembic scripts of the package that owns its tables."""

    name: str
    """What log and results call it: ``mlflow`` or ``mlflow_auth``."""

    variable: str
    """The environment variable that holds ``uri``."""

    uri: str
    """SQLAlchemy URI; its driver is psycopg2, the one that both releases are locked with."""

    scripts: Path
    """The package's alembic directory, which holds ``env.py`` and ``versions/``."""

    version_table: str

    @property
    def libpq_uri(self) -> str:
        """The same address in libpq's notation, which differs only in not naming a driver."""
        scheme, separator, rest = self.uri.partition("://")
        if not separator or scheme not in ("postgresql", "postgresql+psycopg2"):
            # What is no scheme may be a part of a login.
            known = scheme if separator and re.fullmatch(r"[a-z0-9+]+", scheme) else "no scheme"
            raise UsageError(
                f"{self.variable} starts with {known!r}",
                remedy="use postgresql+psycopg2:// such as postgresql+psycopg2:///?service=mlflow",
            )
        # libpq would look for a host, or a port, in the rest of a password that is not percent-encoded, and name it.
        if not _AUTHORITY.fullmatch(re.split("[/?]", rest, maxsplit=1)[0]):
            raise UsageError(
                f"{self.variable} cannot be read",
                remedy="use postgresql+psycopg2:///?service=NAME, or percent-encode what the URI holds",
            )
        return f"postgresql://{rest}"

    @cached_property
    def parents(self) -> Mapping[str, tuple[str, ...]]:
        """Every revision that the scripts define, with those it follows."""
        scripts = (self.scripts / "versions").glob("*.py")
        found = dict(revision for script in scripts for revision in _revision(script))
        if not found:
            raise TerminalError(f"no alembic revisions in {self.scripts}", remedy="install the packages from the lock")
        return found

    @cached_property
    def head(self) -> str:
        """The one revision that no other follows."""
        followed = {parent for parents in self.parents.values() for parent in parents}
        heads = sorted(self.parents.keys() - followed)
        if len(heads) != 1:
            raise TerminalError(f"{self.scripts} has {len(heads)} heads, not one: {', '.join(heads)}")
        return heads[0]

    def after(self, revision: str | None) -> frozenset[str]:
        """Every revision that a database at ``revision`` lacks; none if it has none, and is empty."""
        if revision is None:
            return frozenset()
        return frozenset(self.parents) - self._up_to(revision)

    def _up_to(self, revision: str) -> set[str]:
        known, left = set[str](), [revision]
        while left:
            known.add(current := left.pop())
            left += [parent for parent in self.parents.get(current, ()) if parent not in known]
        return known


def schemas(root: SecretsRoot) -> tuple[Schema, Schema]:
    """The tracking and the auth database, as the environment and the mounted service file describe them."""
    root.set_default_paths()
    return (
        Schema(
            name="mlflow",
            variable="MLFLOW_BACKEND_STORE_URI",
            uri=os.environ.get("MLFLOW_BACKEND_STORE_URI") or "postgresql+psycopg2:///?service=mlflow",
            scripts=_package("mlflow") / "store" / "db_migrations",
            version_table="alembic_version",
        ),
        Schema(
            name="mlflow_auth",
            variable="OIDC_USERS_DB_URI",
            uri=os.environ.get("OIDC_USERS_DB_URI") or "postgresql+psycopg2:///?service=mlflow_auth",
            scripts=_package("mlflow_oidc_auth") / "db" / "migrations",
            version_table=os.environ.get("OIDC_ALEMBIC_VERSION_TABLE") or "alembic_version",
        ),
    )


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise TerminalError(f"the package {name} is not installed", remedy="install from the lock of a release")
    return Path(spec.submodule_search_locations[0])


def _revision(script: Path) -> list[tuple[str, tuple[str, ...]]]:
    values = dict(_assignments(ast.parse(script.read_bytes())))
    revision, parents = values.get("revision"), values.get("down_revision")
    if not isinstance(revision, str):
        return []
    return [(revision, (parents,) if isinstance(parents, str) else tuple(parents or ()))]


def _assignments(module: ast.Module) -> Iterator[tuple[str, Any]]:
    for node in module.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and target.id in ("revision", "down_revision"):
                yield target.id, ast.literal_eval(cast(ast.Assign, node).value)
