"""S3 requests signed with the credentials that are mounted now: boto3 reads the file once in a process.

Also in clients that exist already, and in the middle of an upload of many parts.
"""

import os
from pathlib import Path
from threading import Lock
from typing import Any


def sign_with_mounted_credentials(path: str) -> None:
    """Have boto3's default session, which MLflow uses, read the credentials file ``path`` again once it has changed.

    Where boto3 prefers another source (botocore's documentation, "Configuring credentials"), it still does. boto3 is
    imported when the first client is asked for.
    """
    from mlflow.store.artifact import s3_artifact_repo

    make_client, lock = s3_artifact_repo._cached_get_s3_client, Lock()
    done: list[bool] = []

    def client_with_mounted_credentials(*arguments: Any, **options: Any) -> Any:
        with lock:
            if not done:
                _set_up_default_session(path)
                done.append(True)
        return make_client(*arguments, **options)

    s3_artifact_repo._cached_get_s3_client = client_with_mounted_credentials


def _set_up_default_session(path: str) -> None:
    # Half a second, which a server without artifacts need not wait for.
    import boto3
    from botocore.session import Session

    session = Session()
    resolver = session.get_component("credential_provider")
    resolver.insert_before("shared-credentials-file", _provider(path))
    boto3.setup_default_session(botocore_session=session)


def _provider(path: str) -> Any:
    from botocore.credentials import CredentialProvider, Credentials

    class MountedCredentials(Credentials):  # type: ignore[misc]
        """Those of the file; the last ones that were whole if it cannot be read."""

        def __init__(self) -> None:
            self._lock, self._version, self._frozen = Lock(), (0, 0), _read(path)
            first = self._frozen
            super().__init__(first.access_key, first.secret_key, first.token, method=MountedFile.METHOD)

        # botocore asks for these at each signature.
        def get_frozen_credentials(self) -> Any:
            with self._lock:
                version = _version(path)
                if version != self._version:
                    self._frozen, self._version = _read(path) or self._frozen, version
                return self._frozen

    class MountedFile(CredentialProvider):  # type: ignore[misc]
        METHOD = CANONICAL_NAME = "mounted-file"

        def load(self) -> Any:
            return MountedCredentials() if _read(path) else None

    return MountedFile()


def _version(path: str) -> tuple[int, int]:
    """What differs after the kubelet has turned its link to another file."""
    try:
        found = Path(path).stat()
    except OSError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)


def _read(path: str) -> Any:
    """The frozen credentials of the default profile; None if one is missing."""
    from botocore.configloader import raw_config_parse
    from botocore.credentials import ReadOnlyCredentials
    from botocore.exceptions import BotoCoreError

    try:
        values = raw_config_parse(path).get(os.environ.get("AWS_PROFILE", "default"), {})
    except BotoCoreError:
        return None
    access, secret = values.get("aws_access_key_id"), values.get("aws_secret_access_key")
    return ReadOnlyCredentials(access, secret, values.get("aws_session_token")) if access and secret else None
