"""``dump`` and ``restore`` on real PostgreSQL and MinIO: what is restored is complete, or refused."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from backups import make_backup_pod, make_empty_copy, make_filled, pairs_written, read_all
from minio.commonconfig import CopySource
from pod import Pod
from program_gauges import gauges

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

OUTCOMES = (
    "CREATE TABLE mlflow_sso_outcomes"
    " (program varchar PRIMARY KEY, ended timestamptz NOT NULL, succeeded timestamptz, counts jsonb NOT NULL)"
)


@pytest.fixture
def filled(migrated_pod: Pod) -> Pod:
    return make_filled(migrated_pod)


def test_restore_gives_back_every_row(filled: Pod, tmp_path: Path) -> None:
    before = read_all(filled)

    dumped = filled.run("dump")
    restored = (new := make_empty_copy(filled, tmp_path / "new")).run("restore")

    assert (dumped.code, restored.code) == (0, 0), dumped.stderr + restored.stderr
    assert read_all(new) == before
    assert read_all(new)["mlflow_auth/mlflow_sso_ended_access"].count("user ") == 7
    assert dumped.results[-1]["rows"] == restored.results[-1]["rows"] > 23000
    assert new.migrate().results[0]["action"] == "none"


def test_dump_leaves_out_ends_of_programs(filled: Pod, tmp_path: Path) -> None:
    assert filled.run("gc").code == 0
    assert gauges(filled)[1].keys() == {"gc"}

    dumped = filled.run("dump")
    restored = (new := make_empty_copy(filled, tmp_path / "new")).run("restore")

    assert (dumped.code, restored.code) == (0, 0), dumped.stderr + restored.stderr
    assert [name for name in objects(filled) if "mlflow_sso_outcomes" in name] == []
    assert [name for name in objects(filled) if "/runs." in name] != []
    # A restored installation has run nothing yet, whatever the one before has.
    assert gauges(new) == [{}, {}, {}]
    assert new.run("gc").code == 0
    assert gauges(new)[1].keys() == {"gc"}


def test_restore_refuses_databases_in_use(filled: Pod) -> None:
    filled.run("dump")
    before = read_all(filled)

    done = filled.run("restore")

    assert done.code == 1
    assert "mlflow is not empty" in done.stderr
    assert read_all(filled) == before


def test_restore_takes_database_with_only_outcomes(filled: Pod, tmp_path: Path) -> None:
    before, dumped = read_all(filled), filled.run("dump")
    new = make_empty_copy(filled, tmp_path / "new")
    # An earlier version wrote it into a database that was not migrated yet.
    new.database.query(OUTCOMES)

    restored = new.run("restore")

    assert (dumped.code, restored.code) == (0, 0), restored.stderr
    assert read_all(new).items() >= {name: rows for name, rows in before.items() if "/" in name}.items()


def test_restore_refuses_outcomes_beside_other_tables(filled: Pod, tmp_path: Path) -> None:
    filled.run("dump")
    new = make_empty_copy(filled, tmp_path / "new")
    new.database.query(OUTCOMES)
    new.database.query("CREATE TABLE others (id int)")

    done = new.run("restore")

    assert done.code == 1
    assert "mlflow is not empty: it has 1 tables, such as others" in done.stderr


@pytest.fixture(scope="session")
def key_pair(tmp_path_factory: pytest.TempPathFactory, migrated_once: Pod) -> tuple[str, Path]:
    """An age public key, and the file of its secret key."""
    # pyrage is installed only where the image's programs run.
    script = "import pyrage; key = pyrage.x25519.Identity.generate(); print(key.to_public()); print(key)"
    public, secret = migrated_once.python(script).stdout.split()
    file = tmp_path_factory.mktemp("age") / "identity"
    file.write_text(f"# created for a test\n{secret}\n")
    return public, file


def test_dump_is_encrypted_to_its_recipients(filled: Pod, key_pair: tuple[str, Path], tmp_path: Path) -> None:
    public, secret = key_pair
    pod = replace(filled, settings={**filled.settings, "MLFLOW_SSO_BACKUP_RECIPIENTS": public})
    before = read_all(pod)
    other = tmp_path / "other"
    other.write_text(pod.python("import pyrage; print(pyrage.x25519.Identity.generate())").stdout)

    dumped = pod.run("dump")
    new = make_empty_copy(pod, tmp_path / "new")
    without, wrong = new.run("restore"), new.run("restore", "--identity", str(other))
    left = new.database.query("SELECT count(*) FROM pg_class WHERE relname = 'runs'")
    restored = new.run("restore", "--identity", str(secret))

    assert dumped.results[-1]["encrypted"] is True
    assert {name.rpartition(".")[2] for name in objects(pod)} == {"age"}
    assert (without.code, wrong.code, left) == (2, 1, [(0,)])
    assert "--identity" in without.stderr
    assert "AGE-SECRET" not in wrong.stderr + without.stderr
    assert restored.code == 0, restored.stderr
    assert read_all(new) == before


def objects(pod: Pod) -> list[str]:
    bucket, _, prefix = pod.settings["MLFLOW_SSO_BACKUP_TARGET"].removeprefix("s3://").partition("/")
    return replace(pod.bucket, name=bucket).objects(f"{prefix}/")


def spoil(pod: Pod, table: str, change: str) -> None:
    """Truncate an object of the only dump, replace it by another table's, or delete it."""
    bucket = pod.settings["MLFLOW_SSO_BACKUP_TARGET"].removeprefix("s3://").partition("/")[0]
    client = pod.bucket.client
    (key,) = [name for name in objects(pod) if f"/{table}.copy" in name]
    (other,) = [name for name in objects(pod) if "/params.copy" in name]
    if change == "deleted":
        client.remove_object(bucket, key)
        return
    with client.get_object(bucket, other if change == "exchanged" else key) as answer:
        data = answer.read()
    data = data[: len(data) // 2] if change == "truncated" else data
    client.put_object(bucket, key, io.BytesIO(data), len(data))


# Both databases are loaded beside each other, and what fails in one ends the other.
@pytest.mark.parametrize("table", ["metrics", "groups"])
@pytest.mark.parametrize("change", ["truncated", "exchanged", "deleted"])
def test_restore_refuses_damaged_dump(filled: Pod, tmp_path: Path, change: str, table: str) -> None:
    filled.run("dump")
    spoil(filled, table, change)

    done = (new := make_empty_copy(filled, tmp_path / "new")).run("restore")

    assert done.code == 1
    assert "Traceback" not in done.stderr
    assert new.database.query("SELECT count(*) FROM pg_class WHERE relname IN ('runs', 'users')") == [(0,)]
    # What is seen before anything is loaded.
    assert ("has lost 1 of its objects" in done.stderr) is (change == "deleted")


def test_newest_dump_is_restored_after_damaged_one(filled: Pod, tmp_path: Path) -> None:
    filled.run("dump")
    spoil(filled, "metrics", "truncated")
    new = make_empty_copy(filled, tmp_path / "new")

    refused = new.run("restore")
    filled.run("dump")
    restored = new.run("restore")

    assert (refused.code, restored.code) == (1, 0)
    assert read_all(new) == read_all(filled)


def test_dump_is_of_one_moment(filled: Pod, tmp_path: Path) -> None:
    with pairs_written(filled) as errors:
        dumped = [filled.run("dump") for _ in range(3)]

    assert [done.code for done in dumped] == [0, 0, 0]
    assert not errors
    for number, done in enumerate(dumped):
        new = make_empty_copy(filled, tmp_path / str(number))
        assert new.run("restore", done.results[-1]["name"]).code == 0
        ((groups,),) = new.database.query(
            "SELECT count(*) FROM groups WHERE group_name LIKE 'w%%'", service="mlflow_auth"
        )
        ((experiments,),) = new.database.query("SELECT count(*) FROM experiments WHERE name LIKE 'w%%'")
        assert groups - experiments in (0, 1)


def test_dump_before_migration_only(pod: Pod, tmp_path: Path) -> None:
    new = make_backup_pod(pod)
    empty = new.run("dump", "--before-migration")
    new.migrate()
    current = new.run("dump", "--before-migration")
    # An older revision of MLflow's.
    new.database.query("UPDATE alembic_version SET version_num = (SELECT 'cc1f77228345')")

    older = new.run("dump", "--before-migration")

    assert [done.results[-1]["action"] for done in (empty, current, older)] == ["none", "none", "dumped"]


def test_dump_needs_place_of_its_own(migrated_pod: Pod) -> None:
    bucket = migrated_pod.bucket.name
    targets = {"": 2, "/tmp/x": 2, f"s3://{bucket}": 2, f"s3://{bucket}/dumps": 2, "s3://no-such-bucket": 1}

    done = {target: migrated_pod.run("dump", MLFLOW_SSO_BACKUP_TARGET=target) for target in targets}

    assert {target: run.code for target, run in done.items()} == targets
    assert all("Traceback" not in run.stderr for run in done.values())


# Two more spellings of the artifacts' own server.
@pytest.mark.parametrize("spelling", ["{url}/", "HTTP://127.0.0.1:{port}"])
def test_dump_knows_store_of_artifacts(migrated_pod: Pod, spelling: str) -> None:
    server, bucket = migrated_pod.bucket.server, migrated_pod.bucket.name
    endpoint = spelling.format(url=server.url, port=server.port)

    done = migrated_pod.run(
        "dump", MLFLOW_SSO_BACKUP_TARGET=f"s3://{bucket}/dumps", MLFLOW_SSO_BACKUP_S3_ENDPOINT_URL=endpoint
    )

    assert done.code == 2
    assert "overlaps the artifacts" in done.stderr


def test_old_dumps_are_deleted(filled: Pod) -> None:
    names = [dump(filled) for _ in range(2)]
    bucket = filled.settings["MLFLOW_SSO_BACKUP_TARGET"].removeprefix("s3://").partition("/")[0]
    move(filled, bucket, names[0], "20200101T000000Z-0000")
    move(filled, bucket, names[1], "20200102T000000Z-0000")
    # A dump of long ago without a manifest.
    put(filled, bucket, "mlflow/20200103T000000Z-0000/mlflow/runs.copy.zst")
    # No name of a dump, so it belongs to others.
    put(filled, bucket, "mlflow/notes/20200103T000000Z-0000")

    kept = filled.run("dump", "--keep-at-least", "3")
    done = filled.run("dump", "--keep-at-least", "3")

    deleted = [[line["name"] for line in run.results if line["action"] == "deleted"] for run in (kept, done)]
    assert deleted == [["20200103T000000Z-0000"], ["20200101T000000Z-0000"]]
    assert {name.split("/")[1] for name in objects(filled)} >= {"20200102T000000Z-0000", "notes"}


def dump(pod: Pod) -> str:
    return str(pod.run("dump").results[-1]["name"])


def move(pod: Pod, bucket: str, name: str, to: str) -> None:
    for key in objects(pod):
        if f"/{name}/" in key:
            pod.bucket.client.copy_object(bucket, key.replace(name, to), CopySource(bucket, key))
            pod.bucket.client.remove_object(bucket, key)


def put(pod: Pod, bucket: str, key: str) -> None:
    pod.bucket.client.put_object(bucket, key, io.BytesIO(b"x"), 1)


def test_killed_programs_leave_nothing_that_counts(filled: Pod, tmp_path: Path) -> None:
    killed = stop_early(filled, "dump", "dumped a table")
    names = [line for line in filled.run("restore", "--list").results if line["complete"]]
    dump(filled)
    new = make_empty_copy(filled, tmp_path / "new")
    broken = stop_early(new, "restore", "restored a table")
    restored = new.run("restore")

    assert names == []
    assert killed != 0
    assert broken != 0
    assert restored.code == 0, restored.stderr
    assert read_all(new) == read_all(filled)


def stop_early(pod: Pod, program: str, message: str) -> int:
    """Kill a program once it has begun with the tables."""
    process = pod.start(program)
    assert process.stderr
    for line in process.stderr:
        if line.startswith("{") and json.loads(line)["message"] == message:
            break
    process.kill()
    process.communicate(timeout=60)
    return process.returncode
