"""The command ``doctor``: from the command line to lines and an exit code."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.doctor.cluster_reader import ClusterReader
from mlflow_bootstrap.doctor.committed import committed
from mlflow_bootstrap.doctor.examination import Examination
from mlflow_bootstrap.doctor.report import document, exit_code, text
from mlflow_bootstrap.doctor.rights import rights, role_name, roles
from mlflow_bootstrap.doctor.run import AFTER, BEFORE, WITH_RUN, examine
from mlflow_bootstrap.doctor.web import Web
from mlflow_bootstrap.environment import settings_of
from mlflow_bootstrap.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command line asks for."""

    environment: str
    environments: Path
    output: Path
    before: bool = False
    as_json: bool = False
    with_run: bool = False
    only_rights: bool = False
    connect: str | None = None


def doctor(asked: Asked, *, say: Callable[[str], None], environ: Mapping[str, str] = os.environ) -> tuple[str, int]:
    """What to print, and the exit code.

    Raises:
        SettingsError: the environment cannot be used.
        UsageError: there are no manifests, or an option makes no sense.
    """
    if asked.before and asked.with_run:
        raise UsageError("--with-run needs a server that runs", remedy="leave --before out")
    connect = _place(asked.connect)
    settings = settings_of(asked.environment, folder=asked.environments, environ=environ, say=say)
    manifests = committed(asked.output / asked.environment)
    if asked.only_rights:
        return roles(role_name(settings), rights(settings, manifests)), 0
    # One attempt each, and short ones: what does not answer is a finding.
    hasty = settings.bootstrap.model_copy(
        update={"attempts": 1, "connect_timeout_seconds": 3.0, "read_timeout_seconds": 8.0}
    )
    hurried = settings.model_copy(update={"bootstrap": hasty})
    examined = Examination(
        name=asked.environment,
        settings=hurried,
        committed=manifests,
        cluster=ClusterReader(hurried),
        # Checks run at the same time, so that none may ask on the terminal.
        credentials=Credentials(environ=environ, ask=None),
        web=Web(connect=connect, environ=environ),
    )
    checks = BEFORE if asked.before else {**AFTER, **(WITH_RUN if asked.with_run else {})}
    lines = examine(examined, checks)
    form = document if asked.as_json else text
    return form(asked.environment, lines), exit_code(lines)


def _place(connect: str | None) -> tuple[str, int] | None:
    if connect is None:
        return None
    host, _, port = connect.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"--connect is {connect}", remedy="give host and port, such as 203.0.113.7:443")
    return host.strip("[]"), int(port)
