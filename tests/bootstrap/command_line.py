"""An environment on all four real servers, and `bootstrap.py` run on it as a user does: a process of its own."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak, Minio, OpenBao, Postgres

PROGRAM = Path(__file__).parents[2] / "bootstrap.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """One of each."""

    keycloak: Keycloak
    postgres: Postgres
    minio: Minio
    openbao: OpenBao

    def administrators(self) -> dict[str, str]:
        """The variables of every administrator's login."""
        return {
            "KEYCLOAK_ADMIN": self.keycloak.admin_user,
            "KEYCLOAK_ADMIN_PASSWORD": self.keycloak.admin_password,
            "PGUSER": self.postgres.superuser,
            "PGPASSWORD": self.postgres.superuser_password,
            "MINIO_ADMIN_USER": self.minio.root_user,
            "MINIO_ADMIN_PASSWORD": self.minio.root_password,
            "VAULT_ADDR": self.openbao.url,
            "VAULT_TOKEN": self.openbao.token,
        }

    def addresses(self) -> dict[str, Any]:
        """The settings' section ``bootstrap`` that leads to them."""
        return {
            "keycloak_url": self.keycloak.url,
            "postgres_host": "localhost",
            "postgres_port": self.postgres.port,
            "s3_endpoint": self.minio.url,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """An environment named ``site`` in ``folder``, and the logins of those who prepare it."""

    folder: Path
    settings: Settings
    environ: Mapping[str, str] = field(repr=False)

    def run(self, *arguments: str, typed: str | None = None, **environ: str) -> "subprocess.CompletedProcess[str]":
        """Run a command; ``typed`` is typed on a terminal, without it there is no terminal."""
        # A test may name another environment itself, to see that it is refused.
        named = [] if "--environment" in arguments else ["--environment", "site"]
        where = [*named, "--environments", str(self.folder)]
        # Without a terminal the command must not wait for an answer: that is what a pipeline gives it.
        stdin, terminal = (subprocess.DEVNULL, None) if typed is None else _terminal(typed)
        try:
            return subprocess.run(
                [sys.executable, str(PROGRAM), *arguments, *where],
                stdin=stdin,
                capture_output=True,
                text=True,
                check=False,
                cwd=self.folder,
                # No variable of the developer's own, such as VAULT_TOKEN or KUBECONFIG, may decide the outcome.
                env={"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environ, **environ},
            )
        finally:
            if terminal is not None:
                os.close(terminal)
                os.close(stdin)

    def document(self, *arguments: str) -> dict[str, Any]:
        """The JSON that a command prints."""
        return dict(json.loads(self.run(*arguments, "-o", "json").stdout))


def _terminal(typed: str) -> tuple[int, int]:
    # A real terminal: the command asks only if its standard input is one.
    ours, theirs = pty.openpty()
    os.write(ours, f"{typed}\n".encode())
    return theirs, ours


def environment(folder: Path, settings: Settings, environ: Mapping[str, str]) -> CommandLine:
    """Write ``settings`` as the environment ``site``."""
    # Only what was chosen, as a person writes it; the defaults are the program's to add.
    chosen = settings.model_dump(mode="json", exclude_unset=True)
    # JSON is YAML.
    (folder / "site.yaml").write_text(json.dumps(chosen))
    return CommandLine(folder=folder, settings=settings, environ=environ)
