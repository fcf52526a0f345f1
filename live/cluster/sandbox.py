"""A container without a container engine: namespaces by bubblewrap, as the security context of a manifest says."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from live.cluster.volumes import Mount
from live.servers.cache import debian_program

HIDDEN = ("/run", "/tmp", "/var/tmp")  # noqa: S108
"""Folders of the machine that a container image would not have filled."""


def sandboxed(
    command: Sequence[str], *, security: Mapping[str, Any], mounts: Sequence[Mount], needed: Sequence[Path], report: int
) -> list[str]:
    """The command line that runs ``command`` as a container would run.

    ``security`` is the pod's security context under the container's. ``needed`` are folders of the program itself,
    shown even where a hidden folder or a mount would cover them. Bubblewrap writes the process's number, as JSON, to
    the file descriptor ``report``.
    """
    program = debian_program("bwrap", package="bubblewrap")
    root = "--ro-bind" if security.get("readOnlyRootFilesystem") else "--bind"
    namespaces = ["--unshare-user", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session"]
    shown = [("--ro-bind", str(path), str(path)) for path in needed]
    targets = {mount.target for mount in mounts}
    layers = [
        (root, "/", "/"),
        ("--dev", "/dev"),
        ("--proc", "/proc"),
        *(("--tmpfs", folder) for folder in HIDDEN),
        *(_bound(mount) for mount in mounts),
        *shown,
        *(("--remount-ro", folder) for folder in HIDDEN if folder not in targets),
    ]
    return [
        *[str(program), *namespaces, *_identity(security), "--info-fd", str(report)],
        *[word for layer in layers for word in layer],
        *["--chdir", "/", "--", *command],
    ]


def _identity(security: Mapping[str, Any]) -> list[str]:
    dropped: list[str] = security.get("capabilities", {}).get("drop", [])
    capabilities = [word for name in dropped for word in ("--cap-drop", name)]
    return ["--uid", str(security["runAsUser"]), "--gid", str(security["runAsGroup"]), *capabilities]


def _bound(mount: Mount) -> tuple[str, ...]:
    # Bubblewrap makes no mount point behind a link, and /var/run is one on most systems.
    return ("--bind" if mount.writable else "--ro-bind", str(mount.source), os.path.realpath(mount.target))
