"""Whether a node can be started here; as a program it says so, with exit code 1 if not."""

import os
import sys

from live.commands import run_to_end
from live.node import cgroup
from live.servers.process import ServerError


def require_privileges() -> None:
    """See that a node can be started.

    Raises:
        ServerError: it cannot; the text says what is missing.
    """
    if os.geteuid() != 0:
        raise ServerError("a node needs root, for its namespaces, mounts and cgroups; run it with sudo")
    if not cgroup.writable():
        raise ServerError(
            f"a node needs cgroups below {cgroup.ROOT} that root may create; they are mounted read-only here"
        )
    done = run_to_end(["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "true"])
    if done.returncode:
        raise ServerError(f"a node needs namespaces of its own, which this machine refuses: {done.stderr.strip()}")


if __name__ == "__main__":
    try:
        require_privileges()
    except ServerError as error:
        sys.exit(f"error: {error}")
