"""What a release is, as data, so that no construct compares version numbers."""

from dataclasses import dataclass
from typing import Literal

ReleaseName = Literal["3.6.0", "3.17.2"]
"""The list of releases: make, the settings, the tests and the benchmarks read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerKey:
    """A value that must be the same in all pods and after every restart."""

    variable: str
    """Environment variable that the server reads, and key of the Kubernetes Secret."""
    field: str
    """Field of the entry ``server`` in the secret store."""
    form: Literal["token", "fernet"]
    """Random text, or 32 random bytes in URL-safe base64 as the cryptography package's Fernet takes them."""
    rotates: bool
    """Whether it may be renewed: false for what encrypts stored data."""
    keeps_previous: bool = False
    """Whether the server takes two values, the current one first and a comma between, so that sessions outlive it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A tested pair of MLflow and plugin."""

    name: ReleaseName
    mlflow: str
    """Version of MLflow."""
    plugin: str
    """Version of mlflow-oidc-auth."""
    python: str
    """Oldest minor version of Python that its lock is created for; it holds for newer ones too."""
    base_image: str
    """Image that ours is built on."""
    app_name: str
    """Value of ``mlflow server --app-name``."""
    sessions_in_database: bool
    """Whether browser sessions are rows of the permissions database, which all replicas share."""
    needs_session_pruning: bool
    """Whether expired sessions stay until a CronJob removes them."""
    pkce: bool
    """Whether the plugin sends a PKCE code challenge, so that Keycloak may demand one."""
    many_admin_groups: bool
    """Whether OIDC_ADMIN_GROUP_NAME may be a list."""
    server_keys: tuple[ServerKey, ...]
    startup_seconds: int
    """Seconds that a pod may take to its first answer on a loaded node."""
    worker_mebibytes: int
    """Memory that a worker has written to once it answers, and so cannot do without (RssAnon of /proc, measured)."""
    unused_settings: tuple[str, ...]
    """Dotted settings that this release has no use for; setting one is refused."""
