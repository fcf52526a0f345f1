"""Dumps and restores of databases in odd states, with limits and letters of their own; stores that end early."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg
import pytest
from backups import make_backup_pod, make_empty_copy, make_filled, read_all
from databases import SERVICES
from pod import Database, Pod, Venv

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

EMPTY = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"
LATIN1 = "CREATE DATABASE {database} OWNER {role} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"


def in_latin1(pod: Pod, folder: Path) -> Pod:
    """The same settings with new databases that cannot hold every letter."""
    database = Database(server=pod.database.server)
    database.superuser("CREATE ROLE {role} LOGIN PASSWORD {password}")
    for service in SERVICES:
        database.create_one(service, LATIN1)
    copy = replace(pod, database=database, folder=folder)
    copy.mount()
    return copy


def test_migration_that_was_cut_off_goes_on(migrated_pod: Pod) -> None:
    half = make_backup_pod(migrated_pod)
    half.database.query(EMPTY, service="mlflow_auth")

    dumped, plain = half.run("dump", "--before-migration"), half.run("dump")
    migrated = half.migrate()

    assert (dumped.code, dumped.results[-1]["action"]) == (0, "none")
    # A dump that is asked for says what is missing.
    assert (plain.code, "run `mlflow-sso migrate` first" in plain.stderr) == (1, True)
    assert migrated.code == 0


def test_dump_of_old_and_empty_database_is_restored(make_pod: Callable[..., Pod], tmp_path: Path) -> None:
    pod = make_backup_pod(make_pod())
    if pod.venv.release != "3.17.2":
        pytest.skip("no release is older")
    old = replace(pod, venv=Venv(release="3.6.0"), forks=None)
    assert old.run("migrate").code == 0
    pod.database.query("INSERT INTO experiments (name, lifecycle_stage) VALUES ('kept', 'active')")
    pod.database.query(EMPTY, service="mlflow_auth")

    dumped = pod.run("dump", "--before-migration")
    new = make_empty_copy(pod, tmp_path / "new")
    restored = new.run("restore")

    assert (dumped.code, dumped.results[-1]["action"]) == (0, "dumped"), dumped.stderr
    assert restored.code == 0, restored.stderr
    assert ("kept",) in new.database.query("SELECT name FROM experiments")
    assert new.database.revision("mlflow_auth")


MORE_GROUPS = "INSERT INTO groups (group_name) SELECT 'more ' || n FROM generate_series(1, 600000) n"
IDLE = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s
AND application_name = 'mlflow-sso restore' AND state = 'idle in transaction'
AND state_change < now() - interval '0.5 s'
"""


def test_session_lost_before_the_commit_undoes_both(migrated_pod: Pod, tmp_path: Path) -> None:
    filled = make_filled(migrated_pod)
    filled.database.query(MORE_GROUPS, service="mlflow_auth")
    assert filled.run("dump").code == 0
    new, ended = make_empty_copy(filled, tmp_path / "new"), threading.Event()

    def end_waiting_session() -> None:
        # That of the first database, which has been loaded and waits for the second.
        with psycopg.connect(new.database.superuser_dsn(None), autocommit=True) as connection:
            while not ended.wait(0.05):
                if connection.execute(IDLE, [new.database.name("mlflow")]).fetchall():
                    ended.set()

    thread = threading.Thread(target=end_waiting_session)
    thread.start()
    first = new.run("restore")
    was_ended = ended.is_set()
    ended.set()
    thread.join()
    again = new.run("restore")

    assert was_ended
    assert first.code == 75, first.stderr
    assert again.code == 0, again.stderr
    assert read_all(new) == read_all(filled)


def test_what_the_revision_has_not_is_left_out(migrated_pod: Pod, tmp_path: Path) -> None:
    filled = make_filled(migrated_pod)
    whole = read_all(filled)
    # As a migration to a later revision prepares a large table, and as people keep what they are about to change.
    filled.database.query("ALTER TABLE metrics ADD COLUMN prepared text DEFAULT E'a\\tb'")
    filled.database.query("CREATE TABLE runs_before AS SELECT * FROM runs")
    assert filled.run("dump").code == 0
    new = make_empty_copy(filled, tmp_path / "new")

    restored = new.run("restore")

    assert restored.code == 0, restored.stderr
    assert read_all(new) == whole
    left = {line["table"]: line.get("columns") for line in restored.progress if line["message"].startswith("left out")}
    assert left == {"metrics": ["prepared"], "runs_before": None}


def test_letters_without_a_place_are_not_changed(migrated_pod: Pod, tmp_path: Path) -> None:
    filled = make_filled(migrated_pod)
    assert filled.run("dump").code == 0
    new = in_latin1(filled, tmp_path / "new")

    refused = new.run("restore")

    assert refused.code == 1
    assert "LATIN1" in refused.stderr
    assert new.database.query("SELECT count(*) FROM pg_class WHERE relname = 'runs'") == [(0,)]


def test_settings_of_the_role_change_nothing(migrated_pod: Pod, tmp_path: Path) -> None:
    filled = make_filled(migrated_pod)
    filled.database.query("UPDATE metrics SET value = 0.30000000000000004 WHERE timestamp = 7")
    new = make_empty_copy(filled, tmp_path / "new")
    whole = read_all(filled)
    for pod in (filled, new):
        pod.database.configure("extra_float_digits", "0")
        pod.database.configure("client_encoding", "SQL_ASCII")

    assert filled.run("dump").code == 0
    assert new.run("restore").code == 0

    for service in SERVICES:
        new.database.superuser("ALTER ROLE {role} IN DATABASE {database} RESET ALL", service=service)
    exact = "SELECT value FROM metrics WHERE timestamp = 7"
    assert new.database.query(exact) == [(0.30000000000000004,)]
    assert read_all(new) == whole


LIMITS = """
import sys
from contextlib import closing
from pathlib import Path
from mlflow_sso.database import connect, lift_time_limits
from mlflow_sso.deadline import Deadline
from mlflow_sso.schemas import schemas
from mlflow_sso.secrets_root import SecretsRoot
first, _ = schemas(SecretsRoot(Path(sys.argv[1])))
with closing(connect(first, deadline=Deadline(60), program="test")) as connection:
    connection.autocommit = False
    with connection.cursor() as cursor:
        lift_time_limits(connection)
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SHOW {name}")
            print(cursor.fetchone()[0])
        connection.commit()
        cursor.execute("SHOW statement_timeout")
        print(cursor.fetchone()[0])
"""


def test_limits_are_lifted_for_one_transaction(migrated_pod: Pod) -> None:
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        migrated_pod.database.configure(name, "7s")

    done = migrated_pod.script(LIMITS, str(migrated_pod.secrets_root))

    assert done.stdout.split() == ["0", "0", "7s"], done.stderr


@contextmanager
def breaking_off(url: str, *, after: int) -> Iterator[str]:
    """An address in front of a store, whose connections end once they have carried so many bytes to the client."""
    address = urlsplit(url)
    listening = socket.create_server(("127.0.0.1", 0))

    def carry(source: socket.socket, target: socket.socket, limit: int) -> None:
        left = limit
        while left > 0 and (data := source.recv(min(left, 1 << 16))):
            target.sendall(data)
            left -= len(data)
        for end in (source, target):
            # Not close: as long as the other thread waits for data of a connection, it stays open.
            end.shutdown(socket.SHUT_RDWR)

    def accept() -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            store = socket.create_connection((address.hostname or "", address.port or 80))
            for pair in ((client, store, 1 << 40), (store, client, after)):
                threading.Thread(target=_quietly, args=(carry, *pair), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with closing(listening):
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def _quietly(work: Callable[..., None], *arguments: object) -> None:
    with suppress(OSError):
        work(*arguments)


def test_store_that_breaks_off_restores_nothing(migrated_pod: Pod, tmp_path: Path) -> None:
    filled = make_filled(migrated_pod)
    # Numbers that do not compress: the object is larger than what comes through.
    filled.database.query(
        "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan)"
        " SELECT md5(n::text), random(), n, md5('1'), n, false FROM generate_series(1, 60000) n"
    )
    name = filled.run("dump").results[-1]["name"]
    new = make_empty_copy(filled, tmp_path / "new")

    with breaking_off(filled.bucket.server.url, after=400_000) as url:
        # By its name, since the store is another one by its address.
        done = new.run("restore", name, MLFLOW_S3_ENDPOINT_URL=url)

    assert done.code == 75, done.stderr
    assert "Traceback" not in done.stderr
    assert new.database.query("SELECT count(*) FROM pg_class WHERE relname = 'runs'") == [(0,)]


WRONG = [
    ("gc", {"MLFLOW_S3_ENDPOINT_URL": "minio:9000"}),
    ("gc", {"AWS_DEFAULT_REGION": "not a region"}),
    ("gc", {"MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE": "pathy"}),
    ("gc", {"MLFLOW_S3_UPLOAD_EXTRA_ARGS": "{not json"}),
    ("gc", {"MLFLOW_ARTIFACTS_DESTINATION": "s3://[bucket]/x"}),
    ("dump", {"MLFLOW_SSO_BACKUP_TARGET": "s3://[bucket]/x"}),
    ("dump", {"MLFLOW_SSO_BACKUP_RECIPIENTS": ","}),
    ("dump", {"MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL": "minio:9000"}),
    ("gc", {"MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://mlflow:tOp@s3cr3t@127.0.0.1/mlflow"}),
    ("gc", {"MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://mlflow:tOp/s3cr3t@127.0.0.1/mlflow"}),
    ("gc", {"MLFLOW_BACKEND_STORE_URI": "mlflow:tOps3cr3t://x"}),
]


@pytest.mark.parametrize(("program", "environment"), WRONG, ids=str)
def test_settings_that_cannot_be_read_are_one_error(
    migrated_pod: Pod, program: str, environment: dict[str, str]
) -> None:
    done = make_backup_pod(migrated_pod).run(program, **environment)

    assert done.code == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "cr3t" not in done.stderr


def test_check_that_fails_oddly_costs_no_other(migrated_pod: Pod) -> None:
    done = migrated_pod.run("check", "--json", SESSION_TYPE="redis", REDIS_PORT="tcp://10.0.0.1:6379")

    rows = {row["name"]: row for row in done.results}
    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert len(rows) > 3


def test_uri_of_several_hosts_is_read(migrated_pod: Pod) -> None:
    database = migrated_pod.database
    with psycopg.connect(database.dsn("mlflow")) as connection:
        port = connection.info.port
    login = f"{quote(database.role)}:{quote(database.password, safe='')}"
    uri = f"postgresql+psycopg2://{login}@127.0.0.1:1,127.0.0.1:{port}/{database.name('mlflow')}"

    done = migrated_pod.run("gc", "--dry-run", MLFLOW_BACKEND_STORE_URI=uri)

    assert done.code == 0, done.stderr
