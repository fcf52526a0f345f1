"""Time limits that an administrator of PostgreSQL sets for roles: they end no program while it waits for others."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import urlsplit

import pytest
from garbage import Garbage
from pod import Pod

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

IDLE_SESSION = """
import sys, time
from contextlib import closing
from pathlib import Path
from mlflow_sso.database import connect
from mlflow_sso.deadline import Deadline
from mlflow_sso.schemas import schemas
from mlflow_sso.secrets_root import SecretsRoot
first, _ = schemas(SecretsRoot(Path(sys.argv[1])))
with closing(connect(first, deadline=Deadline(60), program="test")) as connection:
    # As Keycloak may take while `end-access` asks it.
    time.sleep(2.5)
    with connection.cursor() as cursor:
        cursor.execute("SHOW idle_session_timeout")
        print(cursor.fetchone()[0])
"""


def test_session_may_be_idle_while_others_are_asked(migrated_pod: Pod) -> None:
    migrated_pod.database.configure("idle_session_timeout", "1s")

    done = migrated_pod.script(IDLE_SESSION, str(migrated_pod.secrets_root))

    assert done.stdout.split() == ["0"], done.stderr


@contextmanager
def slow(url: str, *, seconds: float) -> Iterator[str]:
    """An address in front of a store, each of whose answers comes so much later."""
    address, listening = urlsplit(url), socket.create_server(("127.0.0.1", 0))

    def carry(source: socket.socket, target: socket.socket, pause: float) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                time.sleep(pause)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listening.accept()
                store = socket.create_connection((address.hostname or "", address.port or 80))
                for ends in ((client, store, 0), (store, client, seconds)):
                    threading.Thread(target=carry, args=ends, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with closing(listening):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.mark.parametrize("limit", ["idle_in_transaction_session_timeout", "idle_session_timeout"])
def test_gc_takes_the_time_of_the_bucket(garbage: Garbage, limit: str) -> None:
    pod = garbage.pod
    pod.database.configure(limit, "300ms")

    with slow(pod.bucket.server.url, seconds=0.5) as url:
        done = pod.run("gc", MLFLOW_S3_ENDPOINT_URL=url)
    again = pod.run("gc")

    assert done.code == 0, done.stderr
    assert [line for line in again.results if line.get("action") == "removed"] == []
    assert [line for line in done.results if line.get("action") == "removed"] != []


def test_fsck_takes_the_time_of_the_bucket(garbage: Garbage) -> None:
    pod = garbage.pod
    plain = pod.run("fsck")
    pod.database.configure("idle_in_transaction_session_timeout", "300ms")

    with slow(pod.bucket.server.url, seconds=0.5) as url:
        done = pod.run("fsck", MLFLOW_S3_ENDPOINT_URL=url)

    assert (done.code, done.results) == (plain.code, plain.results), done.stderr
    assert plain.results[-1]["finding"] == "total"
