"""``check`` with every service up, and with each one down or wrong, for both releases."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pod import Database, Done, Pod
from realm import Realm
from serving import Site

from live.servers import Minio, Postgres, Redis

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

ROWS = (
    "postgresql mlflow",
    "postgresql mlflow_auth",
    "artifact bucket",
    "oidc discovery",
    "oidc client",
    "session store",
)


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.fixture
def whole(site: Site, realm: Realm, redis: Redis, tmp_path: Path) -> Pod:
    """A pod that lacks nothing, with Secrets of its own to spoil and sessions in Redis."""
    shutil.copytree(site.pod.secrets_root, tmp_path / "secrets")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "secrets/ca").mkdir()
    shutil.copy(realm.keycloak.certificate.ca, tmp_path / "secrets/ca/ca.crt")
    (tmp_path / "secrets/server/REDIS_PASSWORD").write_text(redis.password)
    settings = {
        **site.pod.settings,
        "OIDC_DISCOVERY_URL": realm.discovery_url,
        "OIDC_REDIRECT_URI": "http://127.0.0.1:5000/callback",
        "SESSION_TYPE": "redis",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(redis.port),
    }
    return replace(site.pod, folder=tmp_path, settings=settings)


def rows(done: Done) -> dict[str, tuple[str, str]]:
    """Verdict and text by the name of the service."""
    lines = [(name, line.removeprefix(name).split(maxsplit=1)) for line in done.stdout.splitlines() for name in ROWS
             if line.startswith(f"{name}  ")]  # fmt: skip
    return {name: (verdict, text) for name, (verdict, text) in lines}


def failures(done: Done) -> dict[str, str]:
    """What the rows that failed say; the exit code has to agree."""
    found = {name: text for name, (verdict, text) in rows(done).items() if verdict == "FAILED"}
    assert done.code == (1 if found else 0), done.stderr
    assert tuple(rows(done)) == ROWS
    return found


def test_check_reads_only_leaves_no_object(whole: Pod) -> None:
    done = whole.run("check", "--reads-only", "--json")

    found = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.code == 0, done.stdout
    assert set(ROWS) < found.keys()
    assert {row["state"] for row in found.values()} == {"ok"}
    assert found["artifact bucket"]["text"].startswith(f"listed {whole.bucket.uri}/ of ")


def test_check_reads_only_names_a_missing_bucket(whole: Pod) -> None:
    settings = {**whole.settings, "MLFLOW_ARTIFACTS_DESTINATION": "s3://not-there"}

    done = replace(whole, settings=settings).run("check", "--reads-only", "--json")

    found = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert done.code == 1
    assert [name for name, row in found.items() if row["state"] == "failed"] == ["artifact bucket"]
    assert found["artifact bucket"]["remedy"]


def test_check_names_what_each_row_found(whole: Pod, realm: Realm, redis: Redis) -> None:
    done = whole.run("check")

    assert failures(done) == {}
    said = {name: text for name, (_, text) in rows(done).items()}
    revision = whole.database.revision("mlflow")
    assert said["postgresql mlflow"].endswith(f"as {whole.database.role}, no TLS, at {revision}")
    assert said["postgresql mlflow_auth"].endswith(whole.database.revision("mlflow_auth"))
    assert said["artifact bucket"] == f"put, got, listed and deleted in s3://{whole.bucket.name}/ of " + (
        whole.bucket.server.url
    )
    assert f"issuer {realm.keycloak.url}/realms/mlflow, " in said["oidc discovery"]
    assert said["oidc client"] == "client mlflow accepted"
    assert said["session store"] == f"Redis at 127.0.0.1:{redis.port}, database 0"


LOCATIONS = """
INSERT INTO experiments (experiment_id, name, artifact_location, lifecycle_stage) VALUES
  (900001, 'a', 'file:///mlruns/1', 'active'), (900002, 'b', 's3://old/2', 'active'),
  (900003, 'c', 'mlflow-artifacts:/900003', 'active'), (900004, 'd', 'mlflow-artifacts:/900003/d', 'active'),
  (900005, 'e', 'mlflow-artifacts:/team/../900003', 'active'), (900006, 'f', 's3://old-2/x', 'active');
INSERT INTO runs (run_uuid, experiment_id, artifact_uri, lifecycle_stage) VALUES
  ('r1', 900001, 'mlflow-artifacts:/900001/r1/artifacts', 'active'),
  ('r2', 900002, 'http://x/api/2.0/mlflow-artifacts/artifacts/900001', 'active'),
  ('r3', 900003, 'mlflow-artifacts://host/900003/r3', 'active');
INSERT INTO registered_models (name) VALUES ('m');
INSERT INTO model_versions (name, version, source, storage_location) VALUES
  ('m', 1, 'models:/m-1', 'mlflow-artifacts:/900003/models/m-1/artifacts'), ('m', 2, 'prompt-template', NULL),
  ('m', 3, 'runs:/r1/model', NULL), ('m', 4, '%s/900003/r3', NULL);
INSERT INTO trace_info (request_id, experiment_id, timestamp_ms, status) VALUES ('tr-1', 900003, 1, 'OK');
INSERT INTO trace_tags (request_id, key, value) VALUES
  ('tr-1', 'mlflow.artifactLocation', 'mlflow-artifacts:/900001/traces/tr-1/artifacts'), ('tr-1', 'x', 'file:///x');
"""


def test_check_counts_rows_of_unserved_locations(migrated_pod: Pod) -> None:
    migrated_pod.database.query(LOCATIONS % migrated_pod.bucket.uri)

    done = migrated_pod.run("check", "--timeout", "1", MLFLOW_SSO_ALLOWED_LOCATIONS="s3://old")

    (said,) = [line for line in done.stdout.splitlines() if re.match("stored locations +ok ", line)]
    assert re.findall(r"(\d+ of \w+) lie (elsewhere|in the folder of another)", said) == [
        ("3 of experiments", "elsewhere"),
        ("1 of experiments", "in the folder of another"),
        ("2 of runs", "elsewhere"),
        ("1 of model_versions", "elsewhere"),
        ("1 of trace_tags", "in the folder of another"),
    ]


def test_check_leaves_no_object_and_prints_no_secret(whole: Pod, redis: Redis) -> None:
    before = whole.bucket.objects()

    done = whole.run("check")

    assert whole.bucket.objects() == before
    # An empty array in Redis's protocol.
    assert redis.command("KEYS mlflow-sso-check*") == "*0"
    secrets = [file.read_text() for file in (whole.secrets_root / "server").iterdir()]
    secrets += [whole.database.password, whole.bucket.server.root_password]
    assert [secret for secret in secrets if secret in done.stdout + done.stderr] == []


@pytest.mark.parametrize(
    ("settings", "row", "said"),
    [
        ({"MLFLOW_S3_ENDPOINT_URL": "http://127.0.0.1:9"}, "artifact bucket", "cannot reach the object store"),
        ({"MLFLOW_ARTIFACTS_DESTINATION": "s3://no-such-bucket"}, "artifact bucket", "create the bucket first"),
        ({"MLFLOW_ARTIFACTS_DESTINATION": "/mlartifacts"}, "artifact bucket", "set it to s3://BUCKET"),
        ({"OIDC_ISSUER": "https://elsewhere.example.com"}, "oidc discovery", "not https://elsewhere.example.com"),
        ({"REDIS_PORT": "9"}, "session store", "check REDIS_HOST, REDIS_PORT and the NetworkPolicy"),
        ({"REDIS_HOST": "no-such-host.invalid"}, "session store", "Redis at no-such-host.invalid"),
        (
            {"MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg2://mlflow@127.0.0.1:9/mlflow"},
            "postgresql mlflow",
            "cannot reach PostgreSQL",
        ),
        (
            {"OIDC_USERS_DB_URI": "postgresql+psycopg2://mlflow@127.0.0.1:9/mlflow"},
            "postgresql mlflow_auth",
            "cannot reach PostgreSQL",
        ),
        ({"OIDC_USERS_DB_URI": "sqlite:////tmp/auth.db"}, "postgresql mlflow_auth", "starts with 'sqlite'"),
    ],
)
def test_unavailable_service_fails_only_its_row(whole: Pod, settings: dict[str, str], row: str, said: str) -> None:
    done = whole.run("check", "--timeout", "1", **settings)

    assert list(failures(done)) == [row]
    assert said in failures(done)[row]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://127.0.0.1:9/realms/mlflow", "cannot reach"),
        ("{keycloak}/realms/unknown", "answers 404"),
        ("{minio}/minio/health/live", "without JSON"),
        ("", "OIDC_DISCOVERY_URL is not set"),
    ],
)
def test_wrong_provider_fails_both_of_its_rows(whole: Pod, realm: Realm, url: str, said: str) -> None:
    address = url.format(keycloak=realm.keycloak.url, minio=whole.bucket.server.url)

    done = whole.run("check", "--timeout", "1", OIDC_DISCOVERY_URL=address)

    assert list(failures(done)) == ["oidc discovery", "oidc client"]
    assert said in failures(done)["oidc discovery"]


@pytest.mark.parametrize(
    ("file", "text", "row", "said"),
    [
        ("oidc/OIDC_CLIENT_SECRET", "s3cr3t", "oidc client", "compare mlflow-oidc-config with the client"),
        ("oidc/OIDC_CLIENT_ID", "unknown", "oidc client", "the provider refuses the client unknown"),
        ("oidc/OIDC_CLIENT_ID", "", "oidc client", "OIDC_CLIENT_ID is missing or empty"),
        ("server/REDIS_PASSWORD", "s3cr3t", "session store", "compare REDIS_PASSWORD in mlflow-server-secret"),
        (
            "s3/credentials",
            "[default]\naws_access_key_id = unknown\naws_secret_access_key = s3cr3t\n",
            "artifact bucket",
            "compare mlflow-s3-secret",
        ),
    ],
)
def test_wrong_secret_is_named_and_not_printed(whole: Pod, file: str, text: str, row: str, said: str) -> None:
    (whole.secrets_root / file).write_text(text)
    credentials = str(whole.secrets_root / "s3/credentials")

    done = whole.run("check", AWS_SHARED_CREDENTIALS_FILE=credentials)

    assert list(failures(done)) == [row]
    assert said in failures(done)[row]
    assert "s3cr3t" not in done.stdout + done.stderr


def test_wrong_password_fails_both_databases(whole: Pod) -> None:
    file = whole.secrets_root / "db/pg_service.conf"
    file.write_text(file.read_text().replace(whole.database.password, "s3cr3t"))

    done = whole.run("check", "--timeout", "1", PGSERVICEFILE=str(file))

    assert list(failures(done)) == ["postgresql mlflow", "postgresql mlflow_auth"]
    assert "compare mlflow-db-secret" in failures(done)["postgresql mlflow"]
    assert "s3cr3t" not in done.stdout + done.stderr


def test_database_that_was_not_migrated_fails_its_row(whole: Pod) -> None:
    fresh = Database(server=whole.database.server)
    fresh.create()
    pod = replace(whole, database=fresh)
    pod.mount()

    done = pod.run("check")

    assert set(failures(done)) == {"postgresql mlflow", "postgresql mlflow_auth"}
    assert "run `mlflow-sso migrate` first" in failures(done)["postgresql mlflow"]


def test_check_tries_session_store_without_redis(whole: Pod) -> None:
    folder = whole.folder / "sessions"

    done = whole.run("check", SESSION_TYPE="cachelib", SESSION_CACHE_DIR=str(folder))

    where = f"files in {folder}" if whole.venv.release == "3.6.0" else "rows of mlflow_auth"
    assert failures(done) == {}
    assert rows(done)["session store"] == ("ok", where)


def test_check_over_tls_needs_mounted_authorities(whole: Pod) -> None:
    with Postgres(tls=True) as postgres, Minio(tls=True) as minio:
        pod = replace(
            whole,
            database=Database(server=postgres),
            bucket=replace(whole.bucket, server=minio),
        )
        pod.database.create()
        pod.bucket.client.make_bucket(pod.bucket.name)
        pod.mount()
        authorities = pod.secrets_root / "ca/ca.crt"
        authorities.write_bytes(authorities.read_bytes() + minio.certificate.ca.read_bytes())
        shutil.copy(postgres.certificate.ca, pod.secrets_root / "db/ca.crt")
        assert pod.migrate().code == 0

        trusting = pod.run("check")
        authorities.unlink()
        suspicious = pod.run("check")
        (pod.secrets_root / "db/ca.crt").unlink()
        blind = pod.run("check", "--timeout", "1")

    assert failures(trusting) == {}
    assert ", TLS, at " in rows(trusting)["postgresql mlflow"][1]
    assert list(failures(suspicious)) == ["artifact bucket", "oidc discovery", "oidc client"]
    for row in ("artifact bucket", "oidc discovery"):
        assert "mount the authority that signed it as ca/ca.crt" in failures(suspicious)[row]
    assert "postgresql mlflow" in failures(blind)
