"""What a node could leave behind on this machine."""

import fcntl
import os
import socket
from pathlib import Path

from live.local import API_PORT, HTTPS_PORT, PORTS
from live.node.slots import cgroup_prefix
from live.servers.cache import cache_root


def traces(*, held: bool = False) -> set[str]:
    """Mounts, cgroups and network interfaces of the machine.

    Without what comes and goes while other suites run: the mounts of buildah's store, and the cgroups of nodes that
    still hold their slot, unless ``held``.
    """
    lines = Path("/proc/self/mounts").read_text().splitlines()
    mounts = [line for line in lines if f" {cache_root()}/images/" not in line]
    prefix = cgroup_prefix()
    # A cgroup that is deleted meanwhile is passed over by os.walk, and is an error for Path.glob.
    groups = [
        f"{parent}/{name}"
        for parent, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if name.startswith(prefix) and (held or not _slot_is_held(name.removeprefix(prefix)))
    ]
    return {*mounts, *groups, *(path.name for path in Path("/sys/class/net").iterdir())}


def _slot_is_held(number: str) -> bool:
    """Whether a node has it, or is still clearing up behind one."""
    slot = cache_root() / "node" / f"slot-{number}"
    if not slot.exists():
        return False
    with slot.open() as file:
        try:
            # Shared, so that two that look at once do not take each other for a node.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def processes(folder: Path) -> set[str]:
    """Command lines that name ``folder``."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.add(f"{process.name} {line}")
    return found


def listening_ports() -> list[int]:
    """Of those that `make live` always has."""
    return [port for port in (HTTPS_PORT, API_PORT, *PORTS.values()) if _listening(port)]


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
