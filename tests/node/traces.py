"""What a node could leave behind on this machine."""

import os
from pathlib import Path

from live.servers.cache import cache_root


def traces() -> set[str]:
    """Mounts, cgroups and network interfaces of the machine.

    Without the mounts of buildah's store, which come and go while another suite builds an image.
    """
    lines = Path("/proc/self/mounts").read_text().splitlines()
    mounts = [line for line in lines if f" {cache_root()}/images/" not in line]
    # A cgroup that is deleted meanwhile is passed over by os.walk, and is an error for Path.glob.
    groups = [
        f"{parent}/{name}"
        for parent, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if name.startswith("cdk8s-mlflow-node-")
    ]
    return {*mounts, *groups, *(path.name for path in Path("/sys/class/net").iterdir())}
