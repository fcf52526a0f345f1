"""`cdk8s-mlflow try` as on anybody's cluster: kubectl's current context, public images, one namespace."""

import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx
import pytest
from deployment import access_key, log_in

from live.image.archive import take_image
from live.node.node import Node
from live.node.programs import programs
from live.servers.process import free_port
from live.users import User
from testbed.image.public_images import public_images
from testbed.node.access import PublicTransport

pytestmark = pytest.mark.servers

RELEASE = "3.6.0"
IMAGE = f"localhost:30500/mlflow:{RELEASE}-oidc"
API = "/api/2.0/mlflow"
COMMAND = [sys.executable, "-c", "from cdk8s_mlflow.console import main; main()", "try"]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """The running environment."""

    node: Node
    port: int
    said: str

    @property
    def users(self) -> Mapping[str, User]:
        """By name, with the passwords that were printed."""
        found = re.findall(r"^  (\w+)@example.com +(\S+)", self.said, re.MULTILINE)
        return {name: User(name=name, group=None, password=password) for name, password in found}

    def client(self, **options: object) -> httpx.Client:
        """At the printed address."""
        authority = self.node.kubectl(
            *("get", "configmap", "try-authority", "--namespace", "mlflow-try"), "--output", r"jsonpath={.data.ca\.crt}"
        )
        transport = PublicTransport(self.port, verify=ssl.create_default_context(cadata=authority))
        address = f"https://localhost:{self.port}"
        return httpx.Client(transport=transport, base_url=address, timeout=120, follow_redirects=True, **options)  # type: ignore[arg-type]


def run(node: Node, *options: str) -> "subprocess.CompletedProcess[str]":
    path = f"{programs().go}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "KUBECONFIG": str(node.kubeconfig)}
    return subprocess.run([*COMMAND, *options], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def tried(node: Node) -> Iterator[Tried]:
    """Applied, and reached as the command says."""
    for archive in public_images(programs()):
        node.import_image(archive)
    take_image(node, RELEASE, IMAGE)
    port = free_port()
    done = run(node, "--port", str(port), "--image", IMAGE)
    assert done.returncode == 0, done.stderr
    (forward,) = re.findall(r"^reach them +kubectl (.+)$", done.stdout, re.MULTILINE)
    command = [str(node.kubectl_program), "--kubeconfig", str(node.kubeconfig), *forward.split()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forwarding:
        assert forwarding.stdout is not None
        # kubectl prints a line once it listens.
        forwarding.stdout.readline()
        yield Tried(node=node, port=port, said=done.stdout)
        forwarding.terminate()


def test_try_logs_runs_and_artifacts(tried: Tried) -> None:
    user = tried.users["user"]
    with tried.client() as browser:
        log_in(browser, user)
        key = access_key(browser, user, release=RELEASE)

    with tried.client(auth=(user.email, key)) as client:
        experiment = client.post(f"{API}/experiments/create", json={"name": "tried"}).json()["experiment_id"]
        run_id = client.post(f"{API}/runs/create", json={"experiment_id": experiment}).json()["run"]["info"]["run_id"]
        address = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run_id}/artifacts/a.txt"
        client.put(address, content=b"tried").raise_for_status()
        assert client.get(address).content == b"tried"


def test_try_refuses_users_in_no_group(tried: Tried) -> None:
    with tried.client() as browser:
        page = log_in(browser, tried.users["outsider"])
        answer = browser.post(f"{API}/experiments/search", json={"max_results": 1})

    assert page.url.host == "localhost"
    assert '"experiments"' not in answer.text


def test_try_again_restarts_nothing(tried: Tried) -> None:
    before = pods(tried.node)

    again = run(tried.node, "--port", str(tried.port), "--image", IMAGE)

    assert (again.returncode, again.stdout) == (0, tried.said)
    assert pods(tried.node) == before


def pods(node: Node) -> set[str]:
    # A CronJob may start such a pod between the two looks.
    listed = node.get("pods", "--namespace", "mlflow-try", "--selector", "app.kubernetes.io/component!=end-access")
    return {pod["metadata"]["uid"] for pod in listed["items"]}


def test_try_leaves_others_namespaces_alone(tried: Tried) -> None:
    applied, removed = (run(tried.node, "--namespace", "default", *more) for more in ([], ["--remove"]))

    assert (applied.returncode, removed.returncode) == (1, 1)
    assert "error: namespace default belongs to something else" in removed.stderr
    assert tried.node.get("pods", "--namespace", "default")["items"] == []


def test_try_remove_leaves_nothing(tried: Tried) -> None:
    done = run(tried.node, "--remove")

    assert (done.returncode, done.stdout) == (0, "namespace mlflow-try is removed\n")
    assert "mlflow-try" not in tried.node.kubectl("get", "namespaces")
    assert run(tried.node, "--remove").returncode == 0
