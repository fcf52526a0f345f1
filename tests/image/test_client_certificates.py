"""The programs log in to a PostgreSQL that demands certificates, with the files that the manifests mount."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pod import Bucket, Database, Forks, Pod, Venv

from cdk8s_mlflow.contract import SECRETS_ROOT, secret_templates
from cdk8s_mlflow.settings import Settings
from live.servers import Minio, Postgres
from testbed.servers.client_certificates import issue_client
from tests.manifests.objects import MINIMAL

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

RULES = "hostssl all {superuser} 127.0.0.1/32 scram-sha-256\nhostssl all all 127.0.0.1/32 cert\n"
REMEDY = "the Secret that database.client_certificate names"


@pytest.fixture(scope="module")
def demanding(venv: Venv) -> Iterator[Postgres]:
    """A server for each ``venv``, that lets no role but its superuser in by password."""
    server = Postgres(tls=True)
    authority = issue_client(server.folder / "clients", "mlflow").ca
    rules = server.folder / "rules.conf"
    rules.write_text(RULES.format(superuser=server.superuser))
    server.parameters = {"hba_file": str(rules), "ssl_ca_file": str(authority)}
    with server:
        yield server


@pytest.fixture(scope="module")
def certified(
    demanding: Postgres, venv: Venv, forks: Forks, minio: Minio, tmp_path_factory: pytest.TempPathFactory
) -> Pod:
    """Migrated databases whose role logs in by its certificate."""
    database, bucket = Database(server=demanding, role="mlflow"), Bucket(server=minio)
    database.create()
    database.superuser("ALTER ROLE {role} PASSWORD NULL")
    bucket.client.make_bucket(bucket.name)
    pod = Pod(venv=venv, folder=tmp_path_factory.mktemp("pod"), database=database, bucket=bucket, forks=forks)
    mount(pod)
    migrated = pod.migrate()
    assert migrated.code == 0, migrated.stderr
    return pod


def mount(pod: Pod) -> None:
    """Write the Secrets: the database's as it is rendered, and beside it certificate and key, as root owns them."""
    pod.mount()
    server, folder = pod.database.server, pod.secrets_root / "db"
    database = {
        "host": "db.example.com",
        "port": server.port,
        "name": pod.database.name("mlflow"),
        "auth_name": pod.database.name("mlflow_auth"),
        "client_certificate": "mlflow-client-cert",
    }
    network = {"database_cidrs": ("192.0.2.1/32",)}
    settings = Settings.model_validate({**MINIMAL, "database": database, "network": network})
    rendered = secret_templates(settings)[0].render({"username": "mlflow", "ca_crt": server.certificate.ca.read_text()})
    (folder / "password").unlink()
    for key, text in rendered.items():
        # The server is beside the programs here, which no settings may say.
        beside = text.replace("host=db.example.com", "host=localhost")
        (folder / key).write_text(beside.replace(SECRETS_ROOT, str(pod.secrets_root)))
    files = Path(server.parameters["ssl_ca_file"]).parent
    for key in ("tls.crt", "tls.key"):
        (folder / key).write_bytes((files / key).read_bytes())
        (folder / key).chmod(0o440)


@pytest.fixture
def other(certified: Pod, tmp_path: Path) -> Pod:
    """The same databases, with Secrets of its own to spoil."""
    pod = replace(certified, folder=tmp_path)
    mount(pod)
    return pod


@pytest.mark.parametrize("program", ["wait-for-schema", "migrate", "gc", "fsck", "prune-sessions"])
def test_program_logs_in_without_password(certified: Pod, program: str) -> None:
    if program == "prune-sessions" and certified.venv.release == "3.6.0":
        pytest.skip("this release keeps no sessions in the database")

    done = certified.run(program)

    assert done.code == 0, done.stderr


def test_check_passes_both_databases(certified: Pod) -> None:
    done = certified.run("check", "--timeout", "5")

    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("postgresql")]
    assert [(name, verdict) for _, name, verdict, *_ in lines] == [("mlflow", "ok"), ("mlflow_auth", "ok")], done.stdout


def test_renewed_certificate_needs_no_restart(other: Pod) -> None:
    spoilt = (other.secrets_root / "db/tls.crt").read_bytes()
    (other.secrets_root / "db/tls.crt").write_bytes(other.database.server.certificate.certificate.read_bytes())
    refused = other.run("wait-for-schema", "--timeout", "1")

    (other.secrets_root / "db/tls.crt").write_bytes(spoilt)

    assert refused.code == 1
    assert other.run("wait-for-schema", "--timeout", "20").code == 0


def _of_another_role(folder: Path) -> None:
    (folder / "pg_service.conf").write_text(
        (folder / "pg_service.conf").read_text().replace("user=mlflow", "user=someone")
    )


def _of_another_authority(folder: Path) -> None:
    issue_client(folder / "foreign", "mlflow")
    for key in ("tls.crt", "tls.key"):
        (folder / key).write_bytes((folder / "foreign" / key).read_bytes())


def _without_key(folder: Path) -> None:
    (folder / "tls.key").unlink()


def _readable_by_all(folder: Path) -> None:
    (folder / "tls.key").chmod(0o444)


def _without_pair(folder: Path) -> None:
    for key in ("tls.crt", "tls.key"):
        (folder / key).unlink()


@pytest.mark.parametrize(
    ("spoil", "remedy"),
    [
        (_of_another_role, REMEDY),
        (_of_another_authority, REMEDY),
        (_without_key, REMEDY),
        (_readable_by_all, REMEDY),
        (_without_pair, "set database.client_certificate"),
    ],
)
def test_refused_certificate_is_explained(other: Pod, spoil: Callable[[Path], None], remedy: str) -> None:
    spoil(other.secrets_root / "db")

    done = other.run("wait-for-schema", "--timeout", "1")

    assert done.code == 1, done.stderr
    assert remedy in done.stderr
