"""What a node could leave behind on this machine."""

import os
from pathlib import Path

from live.node.slots import slot_is_held
from live.servers.cache import cache_root

_PREFIX = "cdk8s-mlflow-node-"


def traces(*, held: bool = False) -> set[str]:
    """Mounts, cgroups and network interfaces of the machine.

    Without what comes and goes while other suites run: the mounts of buildah's store, and the cgroups of nodes that
    still hold their slot, unless ``held``.
    """
    lines = Path("/proc/self/mounts").read_text().splitlines()
    mounts = [line for line in lines if f" {cache_root()}/images/" not in line]
    # A cgroup that is deleted meanwhile is passed over by os.walk, and is an error for Path.glob.
    groups = [
        f"{parent}/{name}"
        for parent, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if name.startswith(_PREFIX) and (held or not slot_is_held(name.removeprefix(_PREFIX)))
    ]
    return {*mounts, *groups, *(path.name for path in Path("/sys/class/net").iterdir())}
