"""Where browser sessions are kept: files, Redis, or the auth database, depending on release and settings."""

import os
import tempfile
import uuid
from pathlib import Path
from typing import Any

from mlflow_sso.errors import RetryableError, TerminalError
from mlflow_sso.releases import installed
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.whole_numbers import variable


def try_store(root: SecretsRoot, timeout: float) -> str:
    """Write, read and delete something in the session store; raises ``ProgramError``."""
    if os.environ.get("SESSION_TYPE") == "redis" or os.environ.get("CACHE_BACKEND") == "redis":
        return _redis(root, timeout)
    if installed().sessions_in_database:
        return "rows of mlflow_auth"
    return _directory(Path(os.environ.get("SESSION_CACHE_DIR") or Path(tempfile.gettempdir()) / "flask_session"))


def _directory(path: Path) -> str:
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(b"mlflow-sso-check")
    except OSError as error:
        raise TerminalError(
            f"cannot write to {path}: {(error.strerror or 'input/output error').lower()}",
            remedy="mount a writable volume there, or correct SESSION_CACHE_DIR",
        ) from None
    return f"files in {path}"


def _redis(root: SecretsRoot, timeout: float) -> str:
    # Only programs that use redis spend the time of its import.
    import redis

    key, place = f"mlflow-sso-check:{uuid.uuid4().hex}", _redis_settings(root)
    try:
        with redis.Redis(**place, socket_timeout=max(1.0, timeout), socket_connect_timeout=max(1.0, timeout)) as client:
            # Should the program end before the next line, Redis forgets the key by itself.
            client.set(key, "written", ex=60)
            same = client.getdel(key) == b"written"
    except redis.exceptions.AuthenticationError as error:
        raise TerminalError(
            f"Redis refuses us: {error}", remedy="compare REDIS_PASSWORD in mlflow-server-secret"
        ) from None
    except (redis.exceptions.RedisError, OSError) as error:
        raise RetryableError(
            f"Redis at {place['host']}:{place['port']}: {error}",
            remedy="check REDIS_HOST, REDIS_PORT and the NetworkPolicy",
        ) from None
    if not same:
        raise TerminalError("Redis does not give back what was put there", remedy="look at its eviction policy")
    return f"Redis at {place['host']}:{place['port']}, database {place['db']}"


def _redis_settings(root: SecretsRoot) -> dict[str, Any]:
    return {
        "host": os.environ.get("REDIS_HOST") or "localhost",
        "port": variable(os.environ, "REDIS_PORT", default=6379, least=1, most=65535),
        "db": variable(os.environ, "REDIS_DB", default=0, least=0, most=65535),
        "username": os.environ.get("REDIS_USERNAME") or None,
        "password": root.find("server", "REDIS_PASSWORD"),
        "ssl": os.environ.get("REDIS_SSL", "").lower() in ("true", "1"),
        **({"ssl_ca_certs": os.environ["SSL_CERT_FILE"]} if os.environ.get("SSL_CERT_FILE") else {}),
    }
