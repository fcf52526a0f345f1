"""The lines of doctor about what bootstrap prepares and the registry: on real servers, well and broken."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from command_line import CommandLine, Servers, environment
from doctor_lines import asked, examination
from fault_proxy import FaultProxy, silent
from healthy_cluster import PRODUCTION
from objects import admin
from sql import OURS
from sso import administrator

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak, Minio, OpenBao, Postgres
from mlflow_bootstrap.doctor.checks import prepared, registry
from mlflow_bootstrap.doctor.line import State
from mlflow_bootstrap.doctor.run import examine
from testbed.servers import Registry

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def applied(
    keycloak_server: Keycloak,
    postgres_server: Postgres,
    minio_server: Minio,
    openbao_server: OpenBao,
    tmp_path_factory: pytest.TempPathFactory,
) -> CommandLine:
    """An environment that bootstrap has applied."""
    servers = Servers(keycloak=keycloak_server, postgres=postgres_server, minio=minio_server, openbao=openbao_server)
    sections: dict[str, Any] = {
        "ingress": {"host": "mlflow.example.com"},
        "authentication": {"keycloak_host": "auth.example.com", "realm": "realm-of-doctor"},
        "database": {**OURS, "name": "doctor", "auth_name": "doctor_auth", "role": "doctor"},
        "artifacts": {"bucket": "doctor", "user": "doctor", "policy": "doctor"},
        "secrets": {"vault_prefix": "doctor"},
        "bootstrap": {**servers.addresses(), "read_timeout_seconds": 60},
    }
    whole = environment(tmp_path_factory.mktemp("doctor"), Settings.model_validate(sections), servers.administrators())
    done = whole.run("apply", "--create-realm")
    assert done.returncode == 0, done.stderr
    return whole


@pytest.mark.parametrize("part", ["secrets", "keycloak", "postgres", "minio"])
def test_doctor_finds_what_bootstrap_applied(applied: CommandLine, part: str) -> None:
    (line,) = asked(applied.settings, prepared.PREPARED[part], **applied.environ)

    assert (line.name, line.state) == (f"bootstrap {part}", State.OK), line


def test_doctor_names_another_redirect_uri(applied: CommandLine, keycloak_server: Keycloak) -> None:
    realm = administrator(keycloak_server, "realm-of-doctor")
    key = realm.get_client_id("mlflow")
    assert key is not None
    realm.update_client(key, {"redirectUris": ["https://old.example.com/callback"]})

    (line,) = asked(applied.settings, prepared.PREPARED["keycloak"], **applied.environ)

    # Repaired before anything is asserted, for the environment is the whole module's.
    assert applied.run("apply", "keycloak").returncode == 0
    assert line.state is State.FAILED
    assert "keycloak/client/mlflow" in line.seen
    assert "plan keycloak" in line.do


def test_doctor_names_a_lost_bucket_policy(applied: CommandLine, minio_server: Minio) -> None:
    admin(minio_server).detach_policy(["doctor"], user="doctor")

    (line,) = asked(applied.settings, prepared.PREPARED["minio"], **applied.environ)

    assert applied.run("apply", "minio").returncode == 0
    assert line.state is State.FAILED
    assert "minio/user/doctor" in line.seen


def test_doctor_names_an_empty_secret_store(applied: CommandLine) -> None:
    secrets = applied.settings.secrets.model_copy(update={"vault_prefix": "emptied"})
    settings = applied.settings.model_copy(update={"secrets": secrets})

    (line,) = asked(settings, prepared.PREPARED["secrets"], **applied.environ)

    assert line.state is State.FAILED
    assert "secrets/vault/postgres" in line.seen


def test_doctor_skips_what_needs_a_login(applied: CommandLine) -> None:
    (line,) = asked(applied.settings, prepared.PREPARED["minio"], VAULT_ADDR=applied.environ["VAULT_ADDR"])

    assert line.state is State.SKIPPED
    assert "VAULT_TOKEN" in line.do


def test_doctor_cannot_see_a_silent_keycloak(applied: CommandLine) -> None:
    bootstrap = applied.settings.bootstrap.model_copy(update={"keycloak_url": "http://127.0.0.1:9", "attempts": 1})
    settings = applied.settings.model_copy(update={"bootstrap": bootstrap})

    (line,) = asked(settings, prepared.PREPARED["keycloak"], **applied.environ)

    assert line.state is State.UNKNOWN
    assert "127.0.0.1:9" in line.seen


def test_doctor_skips_a_service_out_of_reach(applied: CommandLine) -> None:
    # A name that only the cluster resolves: a workstation cannot tell whether the service is well.
    bootstrap = applied.settings.bootstrap.model_copy(update={"s3_endpoint": "http://minio.minio.svc:9", "attempts": 1})
    settings = applied.settings.model_copy(update={"bootstrap": bootstrap})

    (line,) = asked(settings, prepared.PREPARED["minio"], **applied.environ)

    assert line.state is State.SKIPPED
    assert "minio.minio.svc" in line.seen


def test_doctor_ends_although_keycloak_hangs(applied: CommandLine, keycloak_server: Keycloak) -> None:
    with FaultProxy(keycloak_server.url) as way:
        way.spoil(silent(), times=100)
        hanging = {"keycloak_url": way.url, "read_timeout_seconds": 600.0}
        settings = applied.settings.model_copy(
            update={"bootstrap": applied.settings.bootstrap.model_copy(update=hanging)}
        )
        examined = examination(settings, name="site", environ=applied.environ)
        started = time.monotonic()

        (line,) = examine(examined, {"keycloak": prepared.PREPARED["keycloak"]}, seconds=2)

        # A loaded machine starts threads late; the call itself would last ten minutes.
        assert time.monotonic() - started < 300
    assert (line.state, line.seen) == (State.UNKNOWN, "no answer within 2 s")


def pushed(server: Registry, tag: str) -> str:
    """An image without layers under ``tag``; its digest."""
    configuration = b"{}"
    # Of the two bytes above.
    digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    base = f"http://{server.host}/v2/mlflow"
    with urlopen(Request(f"{base}/blobs/uploads/", method="POST")) as answer:  # noqa: S310
        place = answer.headers["Location"]
    put = Request(f"{place}&digest={digest}", data=configuration, method="PUT")  # noqa: S310
    put.add_header("Content-Type", "application/octet-stream")
    urlopen(put).close()  # noqa: S310
    kind = "application/vnd.oci.image.manifest.v1+json"
    part = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(configuration)}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": part, "layers": []}).encode()
    sent = Request(f"{base}/manifests/{tag}", data=manifest, method="PUT", headers={"Content-Type": kind})  # noqa: S310
    with urlopen(sent) as answer:  # noqa: S310
        return str(answer.headers["Docker-Content-Digest"])


def of_image(settings: Settings, server: Registry, **image: str) -> Settings:
    changed = settings.image.model_copy(update={"registry": server.host, **image})
    return settings.model_copy(update={"image": changed})


def test_doctor_looks_the_image_up(applied: CommandLine) -> None:
    with Registry() as server:
        digest = pushed(server, "there")
        (there,) = asked(of_image(applied.settings, server, tag="there"), registry.image)
        (pinned,) = asked(of_image(applied.settings, server, digest=digest), registry.image)
        (missing,) = asked(of_image(applied.settings, server, tag="missing"), registry.image)
    (down,) = asked(of_image(applied.settings, server, tag="there"), registry.image)

    assert (there.state, digest in there.seen) == (State.OK, True), there
    assert (pinned.state, digest in pinned.seen) == (State.OK, True), pinned
    assert (missing.state, "404" in missing.seen) == (State.FAILED, True), missing
    # The default registry is one of the nodes, which a workstation need not reach.
    assert down.state is State.SKIPPED, down


def doctor(folder: Path, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    """``cdk8s-mlflow doctor`` as a user runs it."""
    program = "from cdk8s_mlflow.console import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, "doctor", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_doctor_without_manifests_is_usage(applied: CommandLine) -> None:
    done = doctor(applied.folder, "--environment", "site", "--environments", ".")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: there are no manifests in dist/site; run `make synth` first, or name --output\n"


def test_doctor_prints_json_without_secrets(applied: CommandLine, tmp_path: Path) -> None:
    (applied.folder / "dist").mkdir(exist_ok=True)
    (applied.folder / "dist/site").symlink_to(PRODUCTION)

    done = doctor(
        applied.folder, "--environment", "site", "--environments", ".", "--before", "--json", **applied.environ
    )

    document = json.loads(done.stdout)
    states = {line["name"]: line["state"] for line in document["lines"]}
    assert done.returncode == 1, done.stderr
    assert {states[f"bootstrap {part}"] for part in ("secrets", "keycloak", "postgres", "minio")} == {"ok"}
    assert states["Kubernetes"] == "unknown"
    assert all(line["do"] for line in document["lines"] if line["state"] != "ok")
    assert not [name for name in applied.environ if "PASSWORD" in name and applied.environ[name] in done.stdout]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--before", "--with-run"], "--with-run needs a server that runs"),
        (["--connect", "mlflow.example.com"], "--connect is mlflow.example.com"),
        (["--environment", "missing"], "missing"),
    ],
)
def test_doctor_refuses_what_makes_no_sense(applied: CommandLine, arguments: list[str], said: str) -> None:
    done = doctor(applied.folder, "--environment", "site", "--environments", ".", "--output", str(PRODUCTION.parent),
                  *arguments)  # fmt: skip

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
