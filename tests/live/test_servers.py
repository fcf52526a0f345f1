"""Each real server starts, keeps its data over a restart, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import Request, urlopen

import psycopg
import pytest
from minio import Minio as Client

from live.servers import Keycloak, Minio, OpenBao, Postgres, Redis, Server, ServerError
from live.servers.keycloak import LENT
from testbed.servers import Registry
from testbed.servers.memory import MEMORY, memory_folder

pytestmark = pytest.mark.servers

TESTS = Path(__file__).parents[1]

ORPHAN = """
import sys, time
from live.servers import Redis
with Redis() as server:
    print(server.port, server.folder, sep=chr(10), flush=True)
    time.sleep(60)
"""


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _s3(server: Minio) -> Client:
    from urllib3 import PoolManager

    # By itself MinIO's client trusts public authorities only.
    pool = PoolManager(ca_certs=str(server.certificate.ca)) if server.tls else None
    host = server.url.split("//")[1]
    return Client(host, server.root_user, server.root_password, secure=server.tls, http_client=pool)


def test_postgres_keeps_its_rows_over_a_restart() -> None:
    with Postgres() as server:
        with psycopg.connect(server.superuser_dsn, autocommit=True) as session:
            session.execute("CREATE TABLE kept AS SELECT 7 AS number")

        server.restart()

        with psycopg.connect(server.superuser_dsn) as session:
            assert session.execute("SELECT number FROM kept").fetchone() == (7,)


def test_postgres_with_tls_refuses_plain_logins() -> None:
    with Postgres(tls=True) as server:
        with psycopg.connect(server.superuser_dsn) as session:
            assert session.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)

        plain = server.superuser_dsn.replace("'verify-full'", "'disable'")
        with pytest.raises(psycopg.OperationalError, match="no encryption"):
            psycopg.connect(plain)


def test_postgres_wants_the_password() -> None:
    with Postgres() as server, pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(server.dsn(user="postgres", password="a guess"))


@pytest.mark.parametrize("tls", [False, True])
def test_minio_keeps_its_buckets_over_a_restart(tls: bool) -> None:
    with Minio(tls=tls) as server:
        _s3(server).make_bucket("kept")

        server.restart()

        assert _s3(server).bucket_exists("kept")


def test_openbao_keeps_its_entries_over_a_restart() -> None:
    with OpenBao() as server:
        server.call("POST", "secret/data/kept", {"data": {"number": 7}})

        server.restart()

        assert server.call("GET", "secret/data/kept")["data"]["data"] == {"number": 7}


def test_keycloak_keeps_its_administrator_over_a_restart() -> None:
    with Keycloak() as server:
        before = _token(server)
        lent = server.folder / "database" / LENT
        had_own = not lent.exists()
        # As after a start that was killed once the password was its own.
        lent.write_text("password of the original")

        server.restart()

        assert before
        assert had_own
        assert _token(server)
        assert not lent.exists()


def _token(server: Keycloak) -> bytes:
    form = f"grant_type=password&client_id=admin-cli&username={server.admin_user}&password={server.admin_password}"
    request = Request(f"{server.url}/realms/master/protocol/openid-connect/token", form.encode())  # noqa: S310
    with urlopen(request, timeout=120) as answer:  # noqa: S310
        return bytes(answer.read())


def test_redis_keeps_its_keys_over_a_restart() -> None:
    with Redis() as server:
        assert server.command("SET kept 7") == "+OK"

        server.restart()

        assert server.command("STRLEN kept") == ":1"
        server.password = "a guess"
        assert server.command("PING").startswith("-WRONGPASS")


def test_the_registry_answers_before_and_after_a_restart() -> None:
    with Registry() as server:
        server.restart()

        with urlopen(f"http://{server.host}/v2/_catalog", timeout=120) as answer:
            assert answer.read().strip() == b'{"repositories":[]}'


@pytest.mark.parametrize("kind", [Postgres, Minio, Redis])
def test_stopped_server_leaves_no_process_or_folder(kind: type[Server]) -> None:
    with kind() as server:
        port, folder = server.port, server.folder

    assert not _listening(port)
    assert not folder.exists()


def test_server_dies_with_its_starter() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    port, folder = int(parent.stdout.readline()), Path(parent.stdout.readline().strip())
    assert folder.exists()

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    deadline = time.monotonic() + 120
    while (_listening(port) or folder.exists()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (_listening(port), folder.exists()) == (False, False)


def test_failed_start_shows_end_of_its_log(tmp_path: Path) -> None:
    with Redis() as first:
        second = Redis(port=first.port, data=tmp_path)

        with pytest.raises(ServerError, match=r"(?s)redis ended at its start.*Address already in use"):
            second.start()


def test_crash_is_seen_and_next_start_serves() -> None:
    with Postgres() as server:
        server.kill()
        assert not server.running

        server.start()

        # Only a login shows that PostgreSQL has recovered.
        psycopg.connect(server.superuser_dsn).close()


def test_folder_is_on_disk_without_memory() -> None:
    # An exbibyte, for which no machine has memory.
    with memory_folder("tried-", room=1 << 60) as folder:
        (folder / "file").touch()

    assert MEMORY not in folder.parents
    assert not folder.exists()


def test_folder_is_on_disk_if_processes_took_memory() -> None:
    available = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable"))
    free = int(available.split()[1]) * 1024

    # An eighth more than there is: other processes give memory back meanwhile.
    with memory_folder("tried-", room=free + free // 8) as folder:
        assert MEMORY not in folder.parents


@pytest.mark.skipif(not MEMORY.is_dir(), reason="this machine has no file system in memory")
def test_folder_of_killed_process_is_deleted() -> None:
    prefix = f"tried-{os.getpid()}-"
    leave = f"from testbed.servers.memory import memory_folder; import os\nwith memory_folder({prefix!r}): os._exit(9)"
    with memory_folder(prefix) as used:
        assert subprocess.run([sys.executable, "-c", leave], cwd=TESTS, check=False).returncode == 9
        assert len(list(MEMORY.glob(f"{prefix}*"))) == 2

        with memory_folder(prefix) as anew:
            assert set(MEMORY.glob(f"{prefix}*")) == {used, anew}


@pytest.mark.skipif(not MEMORY.is_dir(), reason="this machine has no file system in memory")
def test_folders_at_the_same_time_are_not_deleted() -> None:
    prefix = f"tried-{os.getpid()}-"
    program = "from testbed.servers.memory import memory_folder\nfor number in range(300):\n"
    program += f"    with memory_folder({prefix!r}) as folder: (folder / 'file').touch()"

    running = [subprocess.Popen([sys.executable, "-c", program], cwd=TESTS) for _ in range(4)]

    assert [process.wait() for process in running] == [0] * 4
