"""A pod whose servers are all behind TLS of private authorities, with sessions in a real Redis."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pod import Bucket, Database, Forks, Pod, Venv
from realm import Realm
from serving import Serving, mount_server_secrets

from live.servers import Minio, Postgres, Redis
from live.servers.process import free_port


@contextmanager
def private_pod(folder: Path, *, venv: Venv, forks: Forks, realm: Realm, redis: Redis) -> Iterator[Pod]:
    """Migrated databases and a bucket behind TLS; all three authorities are mounted, and no other knows them."""
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


def serving_logins(pod: Pod, *, realm: Realm, redis: Redis) -> Serving:
    """A server of ``pod`` whose users log in at ``realm``."""
    port = free_port()
    settings = {
        **realm.login_settings(port),
        # At DEBUG the plugins log whole tokens, none of which may reach the log.
        "LOG_LEVEL": "DEBUG",
        "OIDC_PROVISION_ON_BEARER_AUTH": "true",
        "SESSION_TYPE": "redis",
        "CACHE_TYPE": "RedisCache",
        "CACHE_BACKEND": "redis",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(redis.port),
    }
    return Serving(pod=replace(pod, settings=settings), port=port)


def serving_again(server: Serving, changes: Mapping[str, str]) -> Serving:
    """Another one beside ``server``, with ``changes`` of its environment."""
    port = free_port()
    settings = {**server.pod.settings, "OIDC_REDIRECT_URI": f"http://127.0.0.1:{port}/callback", **changes}
    return Serving(pod=replace(server.pod, settings=settings), port=port)
