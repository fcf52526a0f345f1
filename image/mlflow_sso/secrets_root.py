"""The mounted Secrets: which directory holds which, and how a value is read from them.

db/      username, pg_service.conf, password or tls.crt and tls.key (of libpq only), ca.crt (optional)
s3/      AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, credentials
azure/   AZURE_STORAGE_ACCESS_KEY (instead of s3/, of artifacts in Azure Blob Storage)
gcs/     key.json (instead of s3/, of artifacts in Google Cloud Storage)
oidc/    OIDC_CLIENT_ID, OIDC_CLIENT_SECRET
backup/  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY (of dump and restore only; optional)
directory/  DIRECTORY_CLIENT_ID, DIRECTORY_CLIENT_SECRET (of end-access only)
server/  files named like the environment variable they become
ca/      ca.crt (optional)
"""

import os
from dataclasses import dataclass
from pathlib import Path

from mlflow_sso.errors import TerminalError

DEFAULT_ROOT = Path("/var/run/secrets/mlflow")

SECRET_OF_MOUNT = {
    "db": "mlflow-db-secret",
    "s3": "mlflow-s3-secret",
    "azure": "mlflow-azure-secret",
    "gcs": "mlflow-gcs-secret",
    "oidc": "mlflow-oidc-config",
    "server": "mlflow-server-secret",
    "backup": "mlflow-backup-secret",
    "directory": "mlflow-directory-client",
    "ca": "the CA bundle",
}


@dataclass(frozen=True, slots=True)
class SecretsRoot:
    """The directory under which every Secret is mounted."""

    path: Path

    def file(self, mount: str, key: str) -> Path:
        return self.path / mount / key

    def find(self, mount: str, key: str) -> str | None:
        """The value of ``key``, or None if the file is absent or empty.

        Raises ``TerminalError`` if the file exists and is unreadable.
        """
        try:
            # ``kubectl create secret --from-file`` keeps the newline at the end of a file.
            return self.file(mount, key).read_text(encoding="utf-8").removesuffix("\n") or None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise TerminalError(
                f"cannot read {self.file(mount, key)}: {(error.strerror or 'input/output error').lower()}",
                remedy="check fsGroup and defaultMode of the volume: the user of the pod must be able to read it",
            ) from None

    def read(self, mount: str, key: str) -> str:
        """The value of ``key``; raises ``TerminalError`` if it is absent or empty."""
        value = self.find(mount, key)
        if value is None:
            raise TerminalError(missing(self.file(mount, key), mount), remedy=f"look at {SECRET_OF_MOUNT[mount]}")
        return value

    def ca_files(self) -> list[Path]:
        """The private certificate authorities that were mounted."""
        return [file for file in (self.file("ca", "ca.crt"), self.file("db", "ca.crt")) if file.is_file()]

    def set_default_paths(self) -> None:
        """Point libpq and the object store's client at the mounted files, unless a variable names others."""
        for variable, mount, key in (
            ("PGSERVICEFILE", "db", "pg_service.conf"),
            ("AWS_SHARED_CREDENTIALS_FILE", "s3", "credentials"),
            ("MLFLOW_SSO_BLOB_KEY_FILE", "azure", "AZURE_STORAGE_ACCESS_KEY"),
            ("MLFLOW_SSO_GCS_KEY_FILE", "gcs", "key.json"),
        ):
            if self.file(mount, key).is_file():
                os.environ.setdefault(variable, str(self.file(mount, key)))


def missing(file: Path, mount: str) -> str:
    """One line that names a file which should have been mounted."""
    return f"{file} is missing or empty: it comes from {SECRET_OF_MOUNT[mount]}, key {file.name}"
