"""Mounted Secrets that change under a running server: in use without a restart, and without a lost request."""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from minio import MinioAdmin
from minio.credentials import StaticProvider
from mounts import MountedSecrets
from pod import Bucket, Pod
from request_stream import requests_stream
from rotating import in_use, messages, reloaded, with_own_secrets
from serving import Serving, Site, make_run
from waiting import wait_for

from live.servers import Minio
from live.servers.certificates import issue
from mlflow_sso.serve.rotation.snapshot import needs_new_workers

pytestmark = [pytest.mark.servers, pytest.mark.either_release]


@pytest.fixture
def pod(site: Site, tmp_path: Path) -> Pod:
    """The site's pod with Secrets of its own."""
    return with_own_secrets(site.pod, tmp_path)


@pytest.fixture
def mounted(pod: Pod) -> MountedSecrets:
    return MountedSecrets(pod.secrets_root)


@pytest.fixture(scope="module")
def refusing(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Serving, MountedSecrets]]:
    """A server with one worker, for changes that it refuses and that are taken back."""
    pod = with_own_secrets(site.pod, tmp_path_factory.mktemp("refusing"))
    mounted = MountedSecrets(pod.secrets_root)
    with Serving(pod=pod) as serving:
        yield serving.wait(), mounted


@pytest.mark.parametrize("workers", [1, 2])
def test_changed_key_replaces_workers_without_lost_request(
    site: Site, pod: Pod, mounted: MountedSecrets, workers: int
) -> None:
    with Serving(pod=pod, workers=workers) as server, server.client("anna", site.keys["anna"]) as client:
        run = make_run(server.wait() and client)
        wait_for(lambda: len(server.worker_processes()) == workers, server.log.read_text)
        before, environments = server.worker_processes(), {}
        with requests_stream(server, ("anna", site.keys["anna"]), run) as stream:
            time.sleep(2)
            mounted.change("oidc", OIDC_CLIENT_SECRET="the-new-secret")
            wait_for(lambda: reloaded(server) == {"replaced": 1}, server.log.read_text)
            wait_for(lambda: not set(before) & set(server.worker_processes()), server.log.read_text)
            after = server.worker_processes()
            # /proc shows the environment that a process was started with.
            environments = {pid: Path(f"/proc/{pid}/environ").read_text() for pid in after}
            time.sleep(2)

    assert stream.failures == []
    assert stream.sent > 50
    assert len(after) == workers
    assert all("OIDC_CLIENT_SECRET=the-new-secret" in text for text in environments.values())
    assert "the-new-secret" not in server.log.read_text()


def used_at(server: Serving) -> float:
    (found,) = re.findall(r"^mlflow_sso_secrets_used_timestamp_seconds (\S+)", server.metrics(), re.M)
    return float(found)


def test_used_timestamp_waits_for_new_workers(pod: Pod, mounted: MountedSecrets) -> None:
    with Serving(pod=pod) as server:
        server.wait()
        mounted.change("oidc", OIDC_CLIENT_SECRET="another")
        changed = time.time()
        wait_for(lambda: used_at(server) > changed, server.log.read_text)
        replaced = reloaded(server)
        mounted.change("oidc", OIDC_CLIENT_SECRET="")
        refused = time.time()
        wait_for(lambda: "refused" in reloaded(server), server.log.read_text)
        time.sleep(5)  # two looks
        confirmed = used_at(server)

    assert replaced == {"replaced": 1}
    assert confirmed < refused


def test_equal_or_joint_changes_replace_once_at_most(pod: Pod, mounted: MountedSecrets) -> None:
    with Serving(pod=pod) as server:
        before = server.wait().worker_processes()
        for mount in ("db", "s3", "oidc", "server"):
            mounted.change(mount)
        # Three looks of the watcher: it acts on what two of them have seen alike.
        time.sleep(6)
        kept = server.worker_processes()

        mounted.change("oidc", OIDC_CLIENT_SECRET="another")
        # Less than a look, as when one commit renews two Secrets.
        time.sleep(0.8)
        mounted.change("server", SECRET_KEY="x" * 40)
        wait_for(lambda: "replaced" in reloaded(server), server.log.read_text)
        # A second replacement would have begun by then.
        time.sleep(6)

        assert kept == before
        assert reloaded(server) == {"replaced": 1}
        (new,) = server.worker_processes()
        environment = Path(f"/proc/{new}/environ").read_text()
        assert "OIDC_CLIENT_SECRET=another" in environment
        assert f"SECRET_KEY={'x' * 40}" in environment


@pytest.mark.parametrize(
    ("mount", "file", "value"),
    [
        ("oidc", "OIDC_CLIENT_SECRET", ""),
        ("server", "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", "half-writ"),
        ("db", "pg_service.conf", "[mlflow]\nhost=127."),
        ("s3", "credentials", "[default]\naws_access_key_id = x\n"),
        # As where the secret store has an entry whose value is empty.
        ("db", "pg_service.conf", "[mlflow]\nuser=mlflow\npassword=\n[mlflow_auth]\nuser=mlflow\npassword=secret\n"),
        *(
            pytest.param(*of, marks=pytest.mark.nightly)
            for of in (
                ("db", "ca.crt", "-----BEGIN CERTIFICATE-----\nMIIB"),
                ("server", "MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE", "true"),
                ("db", "pg_service.conf", "[mlflow]\nuser=mlflow\n[mlflow_auth]\nuser=\n"),
                ("server", "REDIS_PASSWORD", ""),
            )
        ),
    ],
)
def test_unusable_value_is_refused_and_old_kept(
    site: Site, refusing: tuple[Serving, MountedSecrets], mount: str, file: str, value: str
) -> None:
    serving, mounted = refusing
    correct, before = mounted.read(mount), serving.worker_processes()
    told = len(messages(serving, "a changed Secret is not used"))
    refused = {"refused": told + 1}
    with serving.client("anna", site.keys["anna"]) as client:
        run = make_run(client)
        assert in_use(serving)

        mounted.change(mount, **{file: value})
        wait_for(lambda: reloaded(serving) == refused, serving.log.read_text)
        time.sleep(5)

        assert client.get(f"/api/2.0/mlflow/runs/get?run_id={run}").status_code == 200
        assert serving.worker_processes() == before
        assert not in_use(serving)
        assert reloaded(serving) == refused
        (line,) = messages(serving, "a changed Secret is not used")[told:]
        assert file in str(line["problems"])
        mounted.replace(mount, correct)
        wait_for(lambda: in_use(serving), serving.log.read_text)
        assert serving.worker_processes() == before


def test_value_that_breaks_start_keeps_old_worker(site: Site, pod: Pod, mounted: MountedSecrets) -> None:
    with Serving(pod=pod) as server, server.client("anna", site.keys["anna"]) as client:
        run = make_run(server.wait() and client)
        (before,) = server.worker_processes()

        mounted.change("server", MLFLOW_SSO_MAXIMUM_BODY_SIZE="no number")
        wait_for(lambda: reloaded(server) == {"failed": 1}, server.log.read_text)
        assert client.get(f"/api/2.0/mlflow/runs/get?run_id={run}").status_code == 200
        assert server.worker_processes() == [before]
        assert not in_use(server)

        mounted.change("server", MLFLOW_SSO_MAXIMUM_BODY_SIZE="1000000")
        wait_for(lambda: reloaded(server) == {"failed": 1, "replaced": 1}, server.log.read_text)
        assert in_use(server)
        assert client.get(f"/api/2.0/mlflow/runs/get?run_id={run}").status_code == 200


@pytest.mark.parametrize(
    ("names", "needed"),
    [
        ({"db/password", "db/pg_service.conf"}, False),
        ({"db/tls.crt", "db/tls.key"}, False),
        ({"s3/credentials", "s3/AWS_ACCESS_KEY_ID"}, False),
        ({"s3/credentials", "oidc/OIDC_CLIENT_SECRET"}, True),
        ({"db/ca.crt"}, True),
        ({"ca/ca.crt"}, True),
        ({"server/REDIS_PASSWORD"}, True),
    ],
)
def test_new_workers_are_for_what_starts_read(names: set[str], needed: bool) -> None:
    assert needs_new_workers(frozenset(names)) is needed


@contextmanager
def bucket_user(pod: Pod) -> Iterator[Callable[[str], None]]:
    """A user of MinIO called ``rotated``; call it with a password."""
    minio = pod.bucket.server
    login = StaticProvider(minio.root_user, minio.root_password)
    admin = MinioAdmin(endpoint=urlsplit(minio.url).netloc, credentials=login, secure=False)

    def set_password(password: str) -> None:
        admin.user_add("rotated", password)
        admin.policy_set("readwrite", user="rotated")

    yield set_password
    admin.user_remove("rotated")


def credentials(password: str, *, user: str = "rotated") -> str:
    return f"[default]\naws_access_key_id = {user}\naws_secret_access_key = {password}\n"


def test_bucket_keys_are_used_at_once(site: Site, pod: Pod, mounted: MountedSecrets) -> None:
    old, new = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    with bucket_user(pod) as set_password:
        set_password(old)
        mounted.change("s3", credentials=credentials(old))
        with Serving(pod=pod) as server, server.client("anna", site.keys["anna"]) as client:
            run = make_run(server.wait() and client)
            found = client.get(f"/api/2.0/mlflow/runs/get?run_id={run}").json()["run"]["info"]
            path = f"/api/2.0/mlflow-artifacts/artifacts/{found['experiment_id']}/{run}/artifacts/kept.bin"
            stored, before = client.put(path, content=b"kept"), server.worker_processes()
            # MinIO knows one password of a user: the earlier one ends here.
            set_password(new)
            refused = client.get(path)
            mounted.change("s3", credentials=credentials(new))
            read = client.get(path)
            wait_for(lambda: reloaded(server) == {"at_once": 1}, server.log.read_text)

            assert (stored.status_code, read.status_code, read.content) == (200, 200, b"kept")
            assert refused.status_code >= 400
            assert server.worker_processes() == before
            assert in_use(server)


def test_renewed_authority_is_trusted_by_new_workers(site: Site, pod: Pod, tmp_path: Path) -> None:
    authority = pod.secrets_root / "ca/ca.crt"
    authority.parent.mkdir()
    authority.write_bytes(issue(tmp_path / "earlier").ca.read_bytes())
    mounted = MountedSecrets(pod.secrets_root)
    with Minio(tls=True) as minio:
        bucket = Bucket(server=minio)
        bucket.client.make_bucket(bucket.name)
        mounted.change("s3", credentials=credentials(minio.root_password, user=minio.root_user))
        with Serving(pod=replace(pod, bucket=bucket)) as server, server.client("anna", site.keys["anna"]) as client:
            run = make_run(server.wait() and client)
            found = client.get(f"/api/2.0/mlflow/runs/get?run_id={run}").json()["run"]["info"]
            path = f"/api/2.0/mlflow-artifacts/artifacts/{found['experiment_id']}/{run}/artifacts/kept.bin"
            refused = client.put(path, content=b"kept")

            mounted.change("ca", **{"ca.crt": minio.certificate.ca.read_text()})
            wait_for(lambda: reloaded(server) == {"replaced": 1}, server.log.read_text)
            stored = client.put(path, content=b"kept")

    assert refused.status_code >= 400
    assert stored.status_code == 200


def test_database_password_is_used_at_once(site: Site, pod: Pod, mounted: MountedSecrets) -> None:
    password = secrets.token_urlsafe(24)
    with Serving(pod=pod) as server, server.client("anna", site.keys["anna"]) as client:
        run = make_run(server.wait() and client)
        before, service = server.worker_processes(), mounted.read("db")["pg_service.conf"].decode()
        renewed = replace(pod.database, password=password)
        try:
            renewed.superuser("ALTER ROLE {role} PASSWORD {password}")
            mounted.change("db", **{"pg_service.conf": service.replace(pod.database.password, password)})
            wait_for(lambda: reloaded(server) == {"at_once": 1}, server.log.read_text)
            # Open connections outlive a password: only a new one shows which the server takes.
            renewed.query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s AND pid <> pg_backend_pid()",
                pod.database.role,
            )
            answer = client.get(f"/api/2.0/mlflow/runs/get?run_id={run}")
        finally:
            # Other tests share the site's role.
            pod.database.superuser("ALTER ROLE {role} PASSWORD {password}")

        assert answer.status_code == 200
        assert server.worker_processes() == before


def test_other_database_address_replaces_workers(pod: Pod, mounted: MountedSecrets) -> None:
    with Serving(pod=pod) as server:
        before = server.wait().worker_processes()
        service = mounted.read("db")["pg_service.conf"].decode()

        mounted.change("db", **{"pg_service.conf": service.replace("connect_timeout=5", "connect_timeout=6")})

        wait_for(lambda: reloaded(server) == {"replaced": 1}, server.log.read_text)
        assert server.worker_processes() != before
