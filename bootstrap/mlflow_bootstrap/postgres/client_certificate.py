"""The role's own certificate, for a check that logs in as the role."""

from pathlib import Path

from mlflow_bootstrap.context import Context
from mlflow_bootstrap.errors import BootstrapError, UsageError
from mlflow_bootstrap.store.authority import knows_cluster

_KEYS = {"sslcert": "tls.crt", "sslkey": "tls.key"}
_VARIABLES = {"sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}
"""libpq's parameters: the key of the Secret, and the variable that names a file instead."""


def client_certificate(context: Context, folder: Path) -> dict[str, str]:
    """Paths by parameter of libpq: the files that the operator names, or the Secret's, written into ``folder``.

    Raises:
        UsageError: no files are named, and the Secret cannot be read.
    """
    given = {name: context.credentials.environ.get(variable, "") for name, variable in _VARIABLES.items()}
    if all(given.values()):
        return given
    found = _of_cluster(context) if knows_cluster(context.settings, context.credentials) else None
    if found is None:
        settings = context.settings
        raise UsageError(
            f"no certificate of role {settings.database.role} was given",
            remedy="set PGSSLCERT and PGSSLKEY to files with tls.crt and tls.key of Secret "
            f"{settings.namespace}/{settings.database.client_certificate}",
        )
    return {name: str(_written(folder / key, found[key])) for name, key in _KEYS.items()}


def _of_cluster(context: Context) -> dict[str, str] | None:
    """The Secret's files; None if it cannot be read or lacks one."""
    # The client library is loaded only if a certificate is needed and not given.
    from mlflow_bootstrap.store.cluster import Cluster

    settings = context.settings
    try:
        found = Cluster(settings).read(settings.namespace, settings.database.client_certificate or "")
    except BootstrapError:
        return None
    data = {key: found.data.get(key, "") for key in _KEYS.values()} if found else {}
    return data if data and all(data.values()) else None


def _written(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text)
    return path
