"""A node that is killed at any moment leaves nothing on the machine outside of the cache."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from traces import traces

from live.servers.process import free_port

pytestmark = pytest.mark.servers

KILLS = int(os.environ.get("NODE_KILLS", "4"))
"""Of the 20 that a change of the node is tried with, CI repeats a few."""
LONGEST = 20.0
"""Seconds after which a node is up on an idle machine."""
NODE = """
import sys, time
from pathlib import Path
from live.node.node import Node
Node(data=Path(sys.argv[1]), port=int(sys.argv[2]), https_port=int(sys.argv[3])).start()
time.sleep(600)
"""


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_node_leaves_nothing(number: int, tmp_path: Path) -> None:
    before = traces() | processes(tmp_path)
    ports = [free_port(), free_port()]
    # Seeded, so that a moment can be tried again, and spread over the whole start.
    moment = random.Random(number).uniform(0.2, LONGEST) * (number + 1) / KILLS
    with subprocess.Popen(
        [sys.executable, "-c", NODE, str(tmp_path), *map(str, ports)], start_new_session=True
    ) as starting:
        time.sleep(moment)
        # Only the process that starts it: what it has started must end by itself.
        starting.send_signal(signal.SIGKILL)

    # Processes of a namespace end a moment after the first one of it.
    deadline = time.monotonic() + 120
    while (left := (traces() | processes(tmp_path)) - before) and time.monotonic() < deadline:
        time.sleep(0.1)

    assert left == set(), f"after a kill at {moment:.1f} s"


def processes(folder: Path) -> set[str]:
    """Command lines that name the node's folder."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in line:
            found.add(f"{process.name} {line}")
    return found
