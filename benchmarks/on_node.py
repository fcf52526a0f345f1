"""One release on a node of its own, and what each part of it takes."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rendered_environments import HOSTS, KEYCLOAK_HOST, rendered

from live.node.backing import BackingServices
from live.node.node import Node
from live.node.site import running_site
from live.processes import tree
from testbed.system import System


@contextmanager
def running(release: str, *, hosts: Sequence[str] = ()) -> Iterator[tuple[System, Path]]:
    """The system with the settings' defaults, and a folder; the node knows more public ``hosts``."""
    names = [*HOSTS, *hosts]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # PostgreSQL runs as another user, and its data is below.
        folder.chmod(0o755)
        backing = BackingServices.create(folder / "backing", hosts=names, keycloak_host=KEYCLOAK_HOST)
        node = Node(names=[KEYCLOAK_HOST, *names])
        with running_site(node, backing):
            environment = rendered(
                f"r{release.replace('.', '')}",
                folder / "rendering",
                backing=backing,
                release=release,
                https_port=node.https_port,
                changes={},
            )
            with System(environment, node=node) as system:
                yield system, folder


def parts(system: System) -> Mapping[str, list[int]]:
    """The first processes of those that work on a request, as this machine numbers them."""
    return {
        "server": processes_of(system, system.workloads.namespace, "component=tracking-server"),
        "PostgreSQL": [system.backing.postgres.pid],
        "Traefik": processes_of(system, "kube-system", "name=traefik"),
        "MinIO": [system.backing.minio.pid],
    }


def processes_of(system: System, namespace: str, label: str) -> list[int]:
    """First processes of the containers of pods."""
    selector = f"app.kubernetes.io/{label}"
    pods = system.node.get("pods", "--namespace", namespace, "--selector", selector)["items"]
    identities = [pod["metadata"]["uid"] for pod in pods]
    inside = [pid for pid in tree(system.node.init) if any(uid in _cgroups(pid) for uid in identities)]
    # Only first processes are kept, since cpu_seconds adds all that they have started.
    below = {child for pid in inside for child in tree(pid)[1:]}
    return [pid for pid in inside if pid not in below]


def _cgroups(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return ""
