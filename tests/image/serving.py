"""The tracking server as a pod runs it, and the users and access keys that the tests log in with."""

import base64
import json
import os
import secrets
import signal
import ssl
import stat
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import psycopg
from pod import Pod

from live.processes import tree
from live.servers.process import answers, free_port

API = "/api/2.0/mlflow"
START_SECONDS = 900
"""Of a machine that does a lot else; a server that ends ends the wait at once."""

PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For plain HTTP: without it each client of httpx reads all public authorities, which takes longer than a request."""

SERVER_SECRETS = {
    "oidc/OIDC_CLIENT_ID": "mlflow",
    "oidc/OIDC_CLIENT_SECRET": secrets.token_urlsafe(24),
    "server/SECRET_KEY": secrets.token_urlsafe(32),
    "server/MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "server/SESSION_TOKEN_ENCRYPTION_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    "server/MLFLOW_CRYPTO_KEK_PASSPHRASE": secrets.token_urlsafe(32),
}

SETTINGS = {
    # Nobody listens there: the server starts without Keycloak, and access keys need none.
    "OIDC_DISCOVERY_URL": "http://127.0.0.1:1/realms/mlflow/.well-known/openid-configuration",
    "OIDC_SCOPE": "openid profile email groups",
    "DEFAULT_MLFLOW_PERMISSION": "NO_PERMISSIONS",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}

AS_SERVER = """
import os, sys
from pathlib import Path
from mlflow_sso.releases import installed
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.serve.environment import server_variables
os.environ.update(server_variables(installed(), SecretsRoot(Path(sys.argv[1])), os.environ))
"""
"""Begin of a script that sees what the server sees, given the root of its Secrets."""

SERVICE_LINKS = {
    "MLFLOW_PORT": "tcp://10.96.0.17:80",
    "MLFLOW_PORT_80_TCP": "tcp://10.96.0.17:80",
    "MLFLOW_PORT_80_TCP_PORT": "80",
    "MLFLOW_SERVICE_HOST": "10.96.0.17",
    "MLFLOW_SERVICE_PORT": "80",
    "REDIS_PORT": "tcp://10.96.0.18:6379",
}
"""What the kubelet sets for Services named ``mlflow`` and ``redis``."""

MAKE_USERS_3_6_0 = """
from datetime import datetime, timedelta, timezone
later = datetime.now(timezone.utc) + timedelta(days=30)
def make_key(user, key):
    if not store.has_user(user):
        store.create_user(user, "unused-" + user, user)
    store.update_user(user, password=key, password_expiration=later, is_admin=False, is_service_account=False)
    return key
keys = {name: make_key(f"{name}@example.com", f"key-of-{name}") for name in NAMES}
"""

MAKE_USERS_3_17_2 = """
from datetime import datetime, timedelta, timezone
later = datetime.now(timezone.utc) + timedelta(days=30)
def make_key(user):
    if not store.has_user(user):
        store.create_user(username=user, display_name=user)
    return store.user_token_repo.create(user, "test", later, None)[1]
keys = {name: make_key(f"{name}@example.com") for name in NAMES}
"""

USERS = ("anna", "bert", "carl", "dora", "emil", "fred", "gina", "hugo")


def mount_server_secrets(pod: Pod) -> None:
    """The Secrets that only the server reads."""
    for file, text in SERVER_SECRETS.items():
        path = pod.secrets_root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def make_users(pod: Pod, *names: str) -> dict[str, str]:
    """Access key by user name, of the usual eight or of ``names``; created by the plugin's own store."""
    recipe = MAKE_USERS_3_6_0 if pod.venv.release == "3.6.0" else MAKE_USERS_3_17_2
    opening = f"import json; from mlflow_oidc_auth.store import store; NAMES = {names or USERS!r}"
    done = pod.script(f"{opening}\n{recipe}\nprint(json.dumps(keys))")
    assert done.code == 0, done.stderr
    keys: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return keys


@dataclass(frozen=True, kw_only=True)
class Site:
    """Migrated databases, and the access key of each user."""

    pod: Pod
    keys: dict[str, str]


@dataclass(kw_only=True)
class Serving:
    """``mlflow-sso serve`` on free ports; ``confined`` runs it as a numeric user on a read-only root."""

    pod: Pod
    workers: int = 1
    confined: bool = False
    arguments: Sequence[str] = ()
    environment: dict[str, str] = field(default_factory=dict)
    # A number that no user of this machine has.
    user: int = field(default_factory=lambda: 20_000 + secrets.randbelow(40_000))
    port: int = field(default_factory=free_port)
    metrics_port: int = field(default_factory=free_port)
    process: "subprocess.Popen[bytes]" = field(init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def health_url(self) -> str:
        return f"{self.url}/health"

    @property
    def metrics_url(self) -> str:
        return f"http://127.0.0.1:{self.metrics_port}/metrics"

    @property
    def log(self) -> Path:
        return self.pod.folder / f"serve-{self.port}-{self.metrics_port}.log"

    @property
    def scratch(self) -> Path:
        """The one directory that it may write."""
        return self.pod.folder / f"tmp-{self.port}-{self.metrics_port}"

    @property
    def worker(self) -> int:
        """The process of the one worker; of several, the first."""
        return self.worker_processes()[0]

    def worker_processes(self) -> list[int]:
        """Those that run now, in the order of their start."""
        return tree(self.process.pid)[1:]

    def start(self) -> Self:
        """Start it without waiting."""
        scratch = self.scratch
        scratch.mkdir()
        os.chown(scratch, self.user if self.confined else -1, -1)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self._confinement(scratch), *self._command()],
                env={**self.pod.environment, "TMPDIR": str(scratch), "HOME": str(scratch), **self.environment},
                cwd=scratch,
                stdout=log,
                stderr=log,
            )
        return self

    def _command(self) -> list[str]:
        command = [str(self.pod.venv.mlflow_sso), "serve", "--secrets-root", str(self.pod.secrets_root)]
        command += ["--host", "127.0.0.1", "--port", str(self.port), "--metrics-port", str(self.metrics_port)]
        return [*command, "--workers", str(self.workers), *self.arguments]

    def _confinement(self, writable: Path) -> list[str]:
        if not self.confined:
            return []
        prefix = self.pod.venv.python.resolve().parents[1]
        # An interpreter below a closed folder, such as root's home, has to be opened for that user.
        closed = next((str(path) for path in reversed(prefix.parents) if not path.stat().st_mode & stat.S_IXOTH), "")
        script = str(Path(__file__).with_name("confine.sh"))
        return ["unshare", "--mount", "sh", script, str(self.user), str(writable), closed, str(prefix)]

    def wait(self, url: str = "") -> Self:
        """Wait until ``url`` answers; unset, ``/health``."""
        deadline = time.monotonic() + START_SECONDS
        while not answers(url or self.health_url):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        return self

    def answers(self) -> bool:
        return answers(self.health_url)

    def stop(self, *, seconds: float = 30) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def client(self, user: str, key: str) -> httpx.Client:
        """A user with an access key as password of basic authentication."""
        return httpx.Client(base_url=self.url, auth=(f"{user}@example.com", key), timeout=60, verify=PLAIN)

    def metrics(self) -> str:
        """The text of the metrics port."""
        return httpx.get(self.metrics_url, timeout=30, verify=PLAIN).text


def together(client: httpx.Client, count: int) -> list[int]:
    """Status codes of ``count`` searches for experiments sent at once."""
    with ThreadPoolExecutor(count) as pool:
        answers = pool.map(lambda _: client.get(f"{API}/experiments/search?max_results=5"), range(count))
    return [answer.status_code for answer in answers]


def make_run(client: httpx.Client) -> str:
    """Id of a new run in a new experiment of the client's user."""
    name = secrets.token_hex(6)
    experiment = client.post(f"{API}/experiments/create", json={"name": name}).raise_for_status().json()
    body = {"experiment_id": experiment["experiment_id"], "start_time": 1}
    run: dict[str, Any] = client.post(f"{API}/runs/create", json=body).raise_for_status().json()
    return str(run["run"]["info"]["run_id"])


@contextmanager
def table_locked(pod: Pod, table: str) -> Iterator[None]:
    """Nobody else reads or writes ``table`` of the tracking database meanwhile."""
    with psycopg.connect(pod.database.dsn("mlflow")) as connection:
        connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")  # type: ignore[arg-type]
        yield


def wait_until_blocked(pod: Pod, count: int) -> None:
    """Wait until ``count`` queries wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
    with psycopg.connect(pod.database.dsn("mlflow"), autocommit=True) as connection:
        while connection.execute(query, [pod.database.name("mlflow")]).fetchall()[0][0] < count:
            time.sleep(0.02)


def bearer(server: Serving, token: str) -> httpx.Response:
    """What a list of experiments answers to a token."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.get(f"{server.url}{API}/experiments/search?max_results=5", headers=headers, timeout=60, verify=PLAIN)
