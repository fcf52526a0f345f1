"""A login through Keycloak's own page, over TLS with a private authority everywhere, with sessions in a real Redis."""

import shutil
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from pod import Bucket, Database, Forks, Pod, Venv
from realm import Realm
from serving import API, SETTINGS, Serving, make_run, mount_server_secrets

from live.servers import Minio, Postgres, Redis
from live.servers.process import free_port

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.fixture(scope="module")
def pod(
    venv: Venv, forks: Forks, realm: Realm, redis: Redis, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pod]:
    """Migrated databases and a bucket behind TLS; all three authorities are mounted, and no other knows them."""
    folder = tmp_path_factory.mktemp("private")
    with Postgres(tls=True) as postgres, Minio(tls=True) as minio:
        database, bucket = Database(server=postgres), Bucket(server=minio)
        pod = Pod(venv=venv, folder=folder, database=database, bucket=bucket, forks=forks)
        pod.database.create()
        pod.bucket.client.make_bucket(pod.bucket.name)
        pod.mount()
        mount_server_secrets(pod)
        (pod.secrets_root / "server/REDIS_PASSWORD").write_text(redis.password)
        shutil.copy(postgres.certificate.ca, pod.secrets_root / "db/ca.crt")
        (pod.secrets_root / "ca").mkdir()
        authorities = [server.certificate.ca.read_text() for server in (minio, realm.keycloak)]
        (pod.secrets_root / "ca/ca.crt").write_text("".join(authorities))
        assert pod.migrate().code == 0
        yield pod


@pytest.fixture(scope="module")
def server(pod: Pod, realm: Realm, redis: Redis) -> Iterator[Serving]:
    port = free_port()
    settings = {
        **SETTINGS,
        "OIDC_DISCOVERY_URL": realm.discovery_url,
        "OIDC_REDIRECT_URI": f"http://127.0.0.1:{port}/callback",
        "OIDC_SCOPE": "openid profile email",
        "OIDC_GROUP_NAME": "mlflow-admins,mlflow-users",
        "OIDC_ADMIN_GROUP_NAME": "mlflow-admins",
        "SESSION_TYPE": "redis",
        "CACHE_TYPE": "RedisCache",
        "CACHE_BACKEND": "redis",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(redis.port),
    }
    with Serving(pod=replace(pod, settings=settings), port=port) as serving:
        yield serving.wait()


@pytest.fixture
def browser(realm: Realm, server: Serving) -> Iterator[httpx.Client]:
    """Somebody who has just logged in, and has made an experiment."""
    with realm.client() as browser:
        browser.base_url = server.url
        realm.log_in(browser, server.url).raise_for_status()
        make_run(browser)
        yield browser


def test_who_has_logged_in_is_let_in_and_who_has_not_is_not(server: Serving, browser: httpx.Client) -> None:
    search = f"{API}/experiments/search?max_results=5"

    known, unknown = browser.get(search), httpx.get(f"{server.url}{search}")

    assert known.status_code == 200, known.text
    assert "experiments" in known.json()
    assert "experiments" not in unknown.text


def test_her_artifact_reaches_the_bucket_and_comes_back(pod: Pod, browser: httpx.Client) -> None:
    run = make_run(browser)
    experiment = browser.get(f"{API}/runs/get?run_id={run}").json()["run"]["info"]["experiment_id"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/note.txt"

    stored, read = browser.put(path, content=b"a note"), browser.get(path)

    assert (stored.status_code, read.content) == (200, b"a note")
    assert pod.bucket.objects() == [f"{experiment}/{run}/artifacts/note.txt"]


@pytest.mark.parametrize("venv", ["3.6.0"], indirect=True)
def test_the_baseline_keeps_the_session_in_redis_and_forgets_it_with_redis(
    server: Serving, browser: httpx.Client, redis: Redis
) -> None:
    search = f"{API}/experiments/search?max_results=5"
    before = browser.get(search)

    forgotten = redis.command("FLUSHALL")
    after = browser.get(search)

    assert "experiments" in before.text
    assert forgotten == "+OK"
    assert "experiments" not in after.text
    assert list((server.scratch / "session").iterdir()) == []


@pytest.mark.parametrize("venv", ["3.17.2"], indirect=True)
def test_the_current_release_keeps_the_session_in_the_database_and_not_in_redis(
    pod: Pod, browser: httpx.Client, redis: Redis
) -> None:
    search = f"{API}/experiments/search?max_results=5"
    redis.command("FLUSHALL")
    still = browser.get(search)

    pod.database.query("UPDATE auth_sessions SET revoked_at = now() AT TIME ZONE 'UTC'", service="mlflow_auth")
    revoked = browser.get(search)

    assert "experiments" in still.text
    assert "experiments" not in revoked.text
