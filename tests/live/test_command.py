"""`make live` as somebody runs it who tries the product: it says where to go, runs once, and leaves nothing behind."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from blocks import block
from commands import ROOT

from live.__main__ import OPENBAO_PORTS, fixed_ports
from live.only_one import BusyError, need_ports
from live.rendering import Rendering

pytestmark = pytest.mark.servers

PLAIN = {"PATH": "/usr/bin:/bin"}
"""A shell without a login."""

COMMAND = [sys.executable, "-m", "live"]


@pytest.fixture
def machine() -> None:
    """The fixed ports, which must be free: no `make live` of a person's may be disturbed."""
    try:
        need_ports(fixed_ports(Rendering.committed().settings))
    except BusyError as error:
        pytest.skip(str(error))


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_it_says_where_to_go_runs_once_and_leaves_nothing_behind(machine: None, tmp_path: Path) -> None:
    command = [*COMMAND, "--state", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stdout is not None
        said = "".join(iter(running.stdout.readline, "Ctrl-C stops everything.\n"))
        login = re.search(r"^bootstrap (.*)$", said, re.MULTILINE)
        assert login is not None
        shown = block("docs/try-it.md", ".venv/bin/python").text
        planned = subprocess.run(
            ["bash", "-c", f"{login[1]}\n{shown}"], cwd=ROOT, env=PLAIN, capture_output=True, text=True, check=False
        )
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        # A terminal sends it to the whole process group.
        os.killpg(running.pid, signal.SIGINT)
        rest = running.stdout.read()

    assert "https://localhost:30443" in said
    assert re.findall(r"^  (\w+)@example.com", said, re.MULTILINE) == ["admin", "user", "nobody"]
    assert (planned.returncode, " 0 to create" in planned.stdout or "unchanged" in planned.stdout) == (0, True)
    assert second.returncode == 1
    assert "error: it runs already, at https://localhost:30443; end it with Ctrl-C" in second.stderr
    assert running.returncode == 0
    assert rest.endswith("stopped\n")
    assert [port for port in [*fixed_ports(Rendering.committed().settings), *OPENBAO_PORTS] if _listening(port)] == []


def test_a_port_that_is_taken_is_named(machine: None, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 30444))
        other.listen()

        done = subprocess.run([*COMMAND, "--state", str(tmp_path)], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "error: something else listens on 127.0.0.1, port 30444; end it first" in done.stderr


def test_a_release_that_is_not_there_is_a_usage_error() -> None:
    done = subprocess.run([*COMMAND, "--release", "9.9"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "invalid choice: '9.9'" in done.stderr
