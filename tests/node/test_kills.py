"""`make live` that is killed at any moment leaves nothing on the machine outside of the cache and its own folder."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import ROOT
from depth import sized
from traces import listening_ports, processes, traces

pytestmark = [pytest.mark.servers, pytest.mark.usefixtures("machine")]

KILLS = int(os.environ.get("NODE_KILLS", sized(change=1, every=4)))
"""Of the 20 that a change of the node is tried with, CI repeats one, and each night a few."""
LONGEST = 60.0
"""Seconds after which everything is up on an idle machine."""


@pytest.mark.parametrize("number", range(KILLS))
def test_killed_start_leaves_nothing(number: int, tmp_path: Path) -> None:
    before = traces()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    # Other users of the tests have to pass through.
    temporary.chmod(0o1777)
    # Seeded, so that a moment can be tried again, and spread over the start.
    moment = random.Random(number).uniform(0.2, LONGEST) * (number + 1) / (KILLS + 1)
    command = [sys.executable, "-m", "live", "--state", str(tmp_path / "state")]
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "TMPDIR": str(temporary)}, start_new_session=True
    ) as starting:
        time.sleep(moment)
        # Only the process that starts it: what it has started must end by itself.
        starting.send_signal(signal.SIGKILL)

    def left() -> set[str]:
        files = {str(file) for file in temporary.iterdir()}
        return (traces() - before) | processes(tmp_path) | files | {*map(str, listening_ports())}

    # Servers end politely, and processes of a namespace a moment after its first one.
    deadline = time.monotonic() + 1800
    while left() and time.monotonic() < deadline:
        time.sleep(0.1)

    assert left() == set(), f"after a kill at {moment:.1f} s"
