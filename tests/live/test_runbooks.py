"""Pages of docs/tasks that operators follow, run as they stand on one installation; each says how long it took."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from alerting import wait_for, watched
from authority import Mounted, client_trusting, other_authority, signed_by
from blocks import blocks
from minio import Minio
from minio.commonconfig import CopySource
from people import known_machine_token, machine_token
from rendered_environments import MOVED_KEYCLOAK, rendered_again
from runbook import Runbook
from web_session import WebSession
from where_tried import By, where_tried
from worker import Worker

from testbed.node.outage import outage
from testbed.system import System

pytestmark = pytest.mark.servers

Record = Callable[[str, object], None]
GET_RUN = "/api/2.0/mlflow/runs/get"
SEARCH = "/api/2.0/mlflow/experiments/search?max_results=5"


@pytest.fixture(scope="module")
def installation(new_system: Callable[..., System]) -> Iterator[System]:
    """One of this module's own."""
    with new_system("3.17.2", "runbooks") as system:
        yield system


@pytest.fixture(scope="module")
def worker(installation: System) -> Iterator[Worker]:
    """A user with a run, whose artifact and metric must survive everything."""
    with Worker.with_run(installation, installation.users["user"]) as worker:
        assert worker.upload("kept.bin", b"kept").status_code == 200
        assert worker.log(1).status_code == 200
        yield worker


@pytest.fixture
def book(installation: System, tmp_path: Path) -> Callable[[str], Runbook]:
    """A page by its name."""
    return lambda page: Runbook(system=installation, page=f"tasks/{page}.md", programs=tmp_path)


def assert_works(worker: Worker) -> None:
    """The run is there, can be written to, and its user logs in."""
    assert worker.download("kept.bin").content == b"kept"
    assert worker.log(2).status_code == 200
    with WebSession(system=worker.system) as visitor:
        # A reinstallation gives users of the realm new passwords.
        visitor.log_in(worker.system.users[worker.user.name])
        assert visitor.client.get(GET_RUN, params={"run_id": worker.run}).status_code == 200


def route_keycloak(system: System, *, to: str) -> None:
    """Let Traefik lead a further name to Keycloak."""
    route = system.node.get("ingressroutetcp", "keycloak", "--namespace", "keycloak")
    (rule,) = route["spec"]["routes"]
    route["metadata"] = {"name": "moved", "namespace": "keycloak"}
    rule["match"] = f"HostSNI(`{to}`)"
    system.node.kubectl("apply", "--server-side", "--filename", "-", stdin=yaml.safe_dump(route))


def test_keycloak_page_moves_its_host(
    installation: System, worker: Worker, book: Callable[[str], Runbook], tmp_path: Path, record_property: Record
) -> None:
    page, before, started = book("move-keycloak"), installation.environment, time.monotonic()
    earlier = known_machine_token(installation)
    route_keycloak(installation, to=MOVED_KEYCLOAK)
    changes = {"authentication.keycloak_host": MOVED_KEYCLOAK}
    with WebSession(system=installation) as visitor:
        visitor.log_in(worker.user)
        installation.take(rendered_again(installation, tmp_path / "moved", changes=changes))
        page.run("python bootstrap.py verify")
        installation.deliver()
        page.run("kubectl -n mlflow rollout status deploy/mlflow")
        taken = time.monotonic() - started

        assert "FAILED" not in page.run("kubectl -n mlflow exec deploy/mlflow -- mlflow-sso check")
        assert visitor.whoami()["username"] == worker.user.email
        assert [ask(installation, token) for token in (earlier, machine_token(installation))] == [401, 200]
        assert_works(worker)
        assert visitor.log_in(worker.user).url.host == installation.settings.ingress.host
    installation.become(before)
    assert ask(installation, earlier) == 200
    assert_works(worker)
    record_property("table", f"Keycloak's host moved after {taken:.0f} s")


def ask(system: System, token: str) -> int:
    """Status of a search with a bearer token."""
    with system.client(headers={"Authorization": f"Bearer {token}"}) as client:
        return client.get(SEARCH).status_code


def copy_objects(system: System, *, to: str) -> list[str]:
    """What `mc mb` and `mc mirror` do; the names of the objects."""
    store, bucket = system.backing.minio, system.settings.artifacts.bucket
    client = Minio(f"127.0.0.1:{store.port}", store.root_user, store.root_password, secure=False)
    client.make_bucket(to)
    names = [str(item.object_name) for item in client.list_objects(bucket, recursive=True)]
    for name in names:
        client.copy_object(to, name, CopySource(bucket, name))
        # So that no pod can go on with the old one.
        client.remove_object(bucket, name)
    return names


@pytest.mark.nightly
def test_authority_page_renews_it_without_outage(
    installation: System, worker: Worker, book: Callable[[str], Runbook], tmp_path: Path, record_property: Record
) -> None:
    page, started = book("renew-an-authority"), time.monotonic()
    new, old = installation.backing.certificate, other_authority(installation, tmp_path / "old")
    for name, certificate in (("old", old), ("new", new)):
        (page.programs / f"{name}.crt").write_bytes(certificate.ca.read_bytes())
    join, *trust, force, look, check = page.commands
    page.run(join)
    mounted = Mounted(installation)
    for command in (*trust, force):
        page.run(command)
    mounted.wait_changed()
    with signed_by(installation, old), WebSession(system=installation) as visitor:
        visitor.client = client_trusting(installation, page.programs / "both.crt")
        assert visitor.log_in(worker.user).url.host == installation.settings.ingress.host
        assert "FAILED" not in page.run(check)
        assert worker.log(2).status_code == 200
    for command in (*trust, force):
        done = page.attempt(command.replace("both.crt", "new.crt"))
        assert done.returncode == 0, done.stderr
    mounted.wait_changed()
    assert "replaced every worker" in page.run(look)
    assert_works(worker)
    with signed_by(installation, old):
        assert "FAILED" in page.attempt(check).stdout
    record_property("table", f"authority renewed after {time.monotonic() - started:.0f} s")


@pytest.fixture(scope="module")
def paused(installation: System, worker: Worker, tmp_path_factory: pytest.TempPathFactory) -> float:
    """It refuses writes from now on until its bucket has moved; the seconds that this took."""
    started, folder = time.monotonic(), tmp_path_factory.mktemp("read-only")
    installation.become(rendered_again(installation, folder / "new", changes={"server.read_only": True}))
    page = Runbook(system=installation, page="tasks/maintenance.md", programs=folder)
    for command in page.commands:
        page.run(command)
    return time.monotonic() - started


def test_read_only_page_refuses_writes_only(worker: Worker, paused: float, record_property: Record) -> None:
    refused, read = worker.log(5), worker.download("kept.bin")

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "60")
    assert read.content == b"kept"
    record_property("table", f"read-only after {paused:.0f} s")


@pytest.mark.usefixtures("paused")
def test_bucket_page_moves_every_artifact(
    installation: System, worker: Worker, book: Callable[[str], Runbook], tmp_path: Path, record_property: Record
) -> None:
    page, started = book("move-the-bucket"), time.monotonic()
    copied = copy_objects(installation, to="mlflow-new")
    installation.take(rendered_again(installation, tmp_path / "moved", changes={"artifacts.bucket": "mlflow-new"}))
    begun = time.monotonic()
    adopted = page.run("python bootstrap.py apply minio")
    installation.deliver()
    page.run("kubectl -n mlflow rollout status deploy/mlflow")
    served = time.monotonic()
    checked = page.run("kubectl -n mlflow exec deploy/mlflow -- mlflow-sso check")
    page.run("kubectl -n mlflow create job mlflow-fsck")
    consistent = page.run("until kubectl -n mlflow logs -f job/mlflow-fsck")

    assert copied
    assert "minio/bucket/mlflow-new" in adopted
    assert "FAILED" not in checked
    assert '"rows_without_objects": 0' in consistent
    assert worker.upload("new.bin", b"new").status_code == 200
    assert_works(worker)
    record_property(
        "table", f"bucket moved after {served - started:.0f} s, of which artifacts were away {served - begun:.0f} s"
    )


def test_rotation_page_renews_every_secret(
    installation: System, worker: Worker, book: Callable[[str], Runbook], record_property: Record
) -> None:
    started, pods, page = time.monotonic(), installation.workloads.pods(), book("rotate")
    *commands, look = page.commands
    for command in commands:
        page.run(command)
    installation.wait_secrets()

    def replaced() -> bool:
        return "replaced every worker" in page.attempt(look).stdout

    installation.node.wait("new workers", replaced)

    assert_works(worker)
    assert installation.workloads.pods() == pods
    record_property("table", f"every secret renewed and in use after {time.monotonic() - started:.0f} s")


LOOKS = sorted(
    {
        (block.document.removeprefix("docs/"), command)
        for block in blocks()
        for command in block.commands
        if block.document.startswith("docs/runbooks/") or block.document == "docs/tasks/debug.md"
        if command.startswith("kubectl -n mlflow ") and isinstance(row := where_tried(command), By)
        if row.function == "test_look_commands_show_what_happened"
    }
)


@pytest.mark.parametrize(("page", "command"), LOOKS)
def test_look_commands_show_what_happened(installation: System, tmp_path: Path, page: str, command: str) -> None:
    book = Runbook(system=installation, page=page, programs=tmp_path)

    done = book.attempt(command)

    # grep ends with 1 if it finds nothing.
    assert done.returncode in ((0, 1) if "grep" in command else (0,)), done.stderr
    assert done.stderr == ""


def test_alerts_fire_in_outages_and_end(
    installation: System, worker: Worker, tmp_path: Path, record_property: Record
) -> None:
    with watched(installation, tmp_path / "rules") as prometheus:
        # Minutes are seconds here, so that one slow scrape of the first ones is an outage.
        wait_for(lambda: prometheus.firing() == set())
        with outage(installation.node, installation.backing.postgres):

            def noticed() -> bool:
                # Errors are counted only where there are requests.
                worker.log(7)
                return {"MlflowDatabaseDown", "MlflowErrorsFast"} <= prometheus.firing()

            after = wait_for(noticed)
        ended = wait_for(lambda: "MlflowDatabaseDown" not in prometheus.firing())
        installation.workloads.scale(0)
        down = wait_for(lambda: "MlflowDown" in prometheus.firing())
        installation.workloads.scale(1)
        up = wait_for(lambda: "MlflowDown" not in prometheus.firing())

    assert_works(worker)
    record_property(
        "table",
        f"database down: alert after {after:.0f} s, ended after {ended:.0f} s; "
        f"no pod: after {down:.0f} s, ended after {up:.0f} s (minutes of the rules as seconds)",
    )


def test_drain_page_brings_pods_back(
    installation: System, worker: Worker, book: Callable[[str], Runbook], record_property: Record
) -> None:
    page, before, started = book("lose-a-node"), installation.workloads.pods(), time.monotonic()
    try:
        page.run("kubectl drain NODE --ignore-daemonsets --delete-emptydir-data --pod-selector")
        left = [pod for pod in installation.workloads.pods() if pod.ready]
    finally:
        # The node is the only one, so that no other takes the pods.
        page.run("kubectl uncordon NODE")
    page.run("kubectl -n mlflow rollout status deploy/mlflow")
    installation.wait_public()
    taken = time.monotonic() - started

    assert left == []
    assert {pod.name for pod in before} & {pod.name for pod in installation.workloads.pods()} == set()
    assert "FAILED" not in page.run("kubectl -n mlflow exec deploy/mlflow -- mlflow-sso check")
    assert_works(worker)
    record_property("table", f"one pod evicted and answering again after {taken:.0f} s")


def test_uninstall_page_keeps_data_for_reinstall(
    installation: System, worker: Worker, book: Callable[[str], Runbook], record_property: Record
) -> None:
    started = time.monotonic()

    book("uninstall").run("kubectl delete --wait -f dist/production/application/")
    gone = installation.node.kubectl("get", "namespace", installation.workloads.namespace, check=False)
    destroyed = installation.bootstrap.succeed("destroy", "--yes")
    uninstalled = time.monotonic() - started
    installation.start()

    assert "not found" in gone
    assert "- keycloak/client/" in destroyed
    assert "- minio/bucket/" not in destroyed
    assert_works(worker)
    total = time.monotonic() - started
    record_property("table", f"uninstalled after {uninstalled:.0f} s, back with its data after {total:.0f} s")
