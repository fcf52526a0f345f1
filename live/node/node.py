"""One real node: etcd, API server, controllers, kubelet, containerd, proxy, firewall, DNS and Traefik.

All of it lives in network, mount, PID and UTS namespaces of its own and ends with their first process. Needs root.
Errors: NodeError, when a part of it ends early or does not get ready.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, ClassVar

from live.commands import run_to_end
from live.node import cgroup, components
from live.node.addons import apply_addons, static_images
from live.node.components import ADDRESS, API_PORT, Components
from live.node.image_store import ImageStore
from live.node.kubectl import WAIT_SECONDS, Kubectl
from live.node.network import Passage
from live.node.pki import write_identities
from live.node.privileges import require_privileges
from live.node.programs import Programs, programs
from live.node.slots import cgroup_name, discard_unfinished, free_slot
from live.servers.process import Server, ServerError, free_port

NodeError = ServerError

POLL_SECONDS = 0.4
"""Between two looks at something that takes seconds: a process of kubectl takes a tenth of a second of a core."""

_SCRIPT = Path(__file__).with_name("namespaces.sh")


@dataclass(kw_only=True)
class Node(Kubectl, ImageStore, Server):
    """A node whose API server answers at 127.0.0.1; also a context manager.

    Exposes ``kubeconfig``, ``url`` of the API server, and ``https_port``, at which Traefik's TLS entry point answers
    here and for pods. ``names`` are public host names that the pods shall find at Traefik, as with a split-horizon DNS.
    """

    name: ClassVar[str] = "node"
    # `unshare` heeds no other, and takes all of the node with it.
    stop_signal: ClassVar[signal.Signals] = signal.SIGKILL

    names: Sequence[str] = ()
    https_port: int = field(default_factory=free_port)
    _programs: Programs = field(init=False, repr=False)
    _slot: IO[str] = field(init=False, repr=False)
    _children: dict[str, "subprocess.Popen[bytes]"] = field(init=False, default_factory=dict, repr=False)
    _passages: list[Passage] = field(init=False, default_factory=list, repr=False)

    @property
    def kubeconfig(self) -> Path:
        """Of the administrator, for programs outside of the node."""
        return self.folder / "outside.kubeconfig"

    @property
    def kubectl_program(self) -> Path:
        """kubectl of the node's version."""
        return self._programs.go / "kubectl"

    @property
    def url(self) -> str:
        """Address of the API server here."""
        return f"https://127.0.0.1:{self.port}"

    def prepare(self) -> Sequence[str]:
        """The first process of the namespaces.

        Raises:
            NodeError: we are not root.
        """
        require_privileges()
        self._programs = programs()
        self._slot = free_slot()
        self._ready_file.unlink(missing_ok=True)
        flags = ["--net", "--mount", "--pid", "--uts", "--fork", "--mount-proc", "--kill-child=KILL"]
        return ["unshare", *flags, "bash", str(_SCRIPT), ADDRESS, str(self._ready_file)]

    def locks(self) -> Sequence[int]:
        """The slot, or the next node would have its cgroups removed."""
        return [self._slot.fileno()]

    def after(self) -> Sequence[str]:
        """Removes the cgroups, which outlive the namespaces."""
        return [sys.executable, "-I", cgroup.__file__, self._cgroup]

    def ready(self) -> bool:
        """Whether the namespaces are there; :meth:`start` then starts what is in them."""
        return self._ready_file.exists()

    def start(self) -> "Node":
        """Start the node, and wait until pods can be scheduled, names are found and Traefik answers.

        Raises:
            MissingProgramError: a program cannot be built or fetched.
            NodeError: a part ended early or is not ready in time.
        """
        super().start()
        try:
            parts = self._components()
            self._start_components(parts)
            self._import_static_images()
            self.wait("the node", self._node_ready, every=0.1)
            self.spawn("kube-router", parts.command("kube-router"))
            self._apply_addons()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End everything in the namespaces, then what the kernel keeps of it."""
        for passage in self._passages:
            passage.close()
        self._passages.clear()
        # The first process takes all others with it.
        self.kill()
        for child in self._children.values():
            child.wait()
        self._children.clear()
        if hasattr(self, "_slot"):
            cgroup.remove(self._cgroup)
            self._slot.close()

    @property
    def image_folder(self) -> Path:
        """Where containerd keeps images; it belongs to the slot."""
        return Path(self._slot.name).with_suffix(".images")

    @property
    def _ready_file(self) -> Path:
        return self.folder / "namespaces.ready"

    @property
    def _cgroup(self) -> str:
        return cgroup_name(Path(self._slot.name).name.removeprefix("slot-"))

    @property
    def init(self) -> int:
        """First process of the namespaces, as we see it."""
        ours = _children_of(self.pid)
        return _children_of(ours[0])[0]

    def enter(self, *command: str) -> list[str]:
        """The command line that runs ``command`` in the node's namespaces."""
        return ["nsenter", "--target", str(self.init), "--net", "--mount", "--pid", "--uts", "--", *command]

    def run(self, *command: str, check: bool = True) -> str:
        """Run ``command`` on the node; its standard output.

        Raises:
            NodeError: its exit code is not 0, unless ``check`` is off.
        """
        done = run_to_end(self.enter(*command), environment=self._environment)
        if check and done.returncode:
            raise NodeError(f"`{' '.join(command)}` ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def spawn(self, name: str, command: Sequence[str], **variables: str) -> None:
        """Start a process on the node that ends with it; its output is ``NAME.log`` of the folder."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self._children[name] = subprocess.Popen(
                self.enter(*command),
                env={**self._environment, **variables},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def apply(self, *files: Path, namespace: str | None = None) -> None:
        """Apply files or folders on the server's side."""
        where = ["--namespace", namespace] if namespace else []
        named = [part for file in files for part in ("--filename", str(file))]
        self.kubectl("apply", "--server-side", "--force-conflicts", *where, *named)

    def wait(
        self, what: str, done: Callable[[], bool], *, seconds: float = WAIT_SECONDS, every: float = POLL_SECONDS
    ) -> None:
        """Wait until ``done``; raises ``NodeError`` when it takes longer, or when a part of the node has ended."""
        deadline = time.monotonic() + seconds
        while not done():
            ended = [name for name, child in self._children.items() if child.poll() is not None]
            if ended or time.monotonic() > deadline:
                reason = f"{', '.join(ended)} ended" if ended else f"it took longer than {seconds:.0f} s"
                raise NodeError(f"{what} is not ready: {reason}; look at the logs in {self.folder}")
            time.sleep(every)

    def forward(self, port: int, target_port: int) -> None:
        """Let ``port`` of the node's address lead to ``target_port`` of 127.0.0.1 here."""
        self._passages.append(Passage.out_of(self.init, (ADDRESS, port), port=target_port))

    @property
    def _environment(self) -> Mapping[str, str]:
        path = f"{self._programs.tools}:{self._programs.go}:{os.environ['PATH']}"
        return {"PATH": path, "HOME": "/root", "KUBECONFIG": str(self.folder / "admin.kubeconfig")}

    def _components(self) -> Components:
        for part in ("etcd", "kubelet", "pod-logs", "pki"):
            shutil.rmtree(self.folder / part, ignore_errors=True)
        write_identities(self.folder, outside=self.kubeconfig, url=self.url)
        # A node that was killed with the process that held it could not remove its own.
        cgroup.remove(self._cgroup)
        cgroup.create(self._cgroup)
        discard_unfinished(self.image_folder)
        parts = Components(
            programs=self._programs, folder=self.folder, images=self.image_folder, cgroup=f"/{self._cgroup}"
        )
        parts.write()
        return parts

    def _start_components(self, parts: Components) -> None:
        for name in ("containerd", "etcd", "kube-apiserver"):
            self.spawn(name, parts.command(name))
        self._passages.append(Passage.into(self.init, (ADDRESS, API_PORT), port=self.port))
        (self.folder / "kubelet").mkdir()
        self.run("mkdir", components.KUBELET)
        self.run("mount", "--bind", str(self.folder / "kubelet"), components.KUBELET)
        self.wait("the API server", lambda: self.kubectl("get", "--raw", "/readyz", check=False) == "ok", every=0.1)
        for name in components.CONTROLLERS:
            self.spawn(name, parts.command(name))

    def _import_static_images(self) -> None:
        self.wait(
            "containerd", lambda: bool(self.run("ctr", "--address", components.CONTAINERD, "version", check=False))
        )
        for archive in static_images(self._programs.go):
            self.import_image(archive)
        # Not at each import: pods of the older build may still run.
        self.remove_replaced_images()

    def _node_ready(self) -> bool:
        listed = json.loads(self.kubectl("get", "nodes", "--output", "json", check=False) or "{}").get("items", [])
        conditions = [c for node in listed for c in node["status"].get("conditions", [])]
        return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

    def _apply_addons(self) -> None:
        apply_addons(self, self._programs.definitions)
        address = self.get("service", "traefik", "--namespace", "kube-system")["spec"]["clusterIP"]
        self._passages.append(Passage.into(self.init, (address, 443), port=self.https_port))


def _children_of(process: int) -> list[int]:
    listed = Path(f"/proc/{process}/task/{process}/children").read_text()
    return [int(number) for number in listed.split()]
