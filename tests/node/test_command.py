"""`make live` as a user runs it who tries the product: it says where to go, runs once, and leaves nothing behind."""

import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from blocks import block
from commands import ROOT
from traces import listening_ports, traces

from live.local import HTTPS_PORT, PORTS

pytestmark = pytest.mark.servers

COMMAND = [sys.executable, "-m", "live"]
PLAIN = {"PATH": "/usr/bin:/bin"}
"""A shell without a login."""
USER = re.compile(r"^  (\w+@example.com) +(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose path a shell would split, and which is longer than that of a socket may be."""
    folder = tmp_path_factory.mktemp("state") / ("long " * 20)
    folder.mkdir()
    return folder


@contextmanager
def started(state: Path, *options: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """The running command, and what it has said until it was ready."""
    command = [*COMMAND, "--state", str(state), *options]
    # In a group of its own: the signal below must reach all of it, and not pytest.
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as running:
        assert running.stdout is not None
        try:
            said = []
            for line in running.stdout:
                said.append(line)
                if line == "Ctrl-C stops everything.\n":
                    break
            assert said[-1:] == ["Ctrl-C stops everything.\n"], "".join(said)
            yield running, "".join(said)
        finally:
            if running.poll() is None:
                # A terminal sends it to the whole process group.
                os.killpg(running.pid, signal.SIGINT)


@pytest.fixture(scope="module")
def both(state: Path) -> str:
    """What a start with both releases has said."""
    with started(state, "--release", "3.6.0", "--release", "3.17.2") as (_, said):
        return said


@pytest.mark.nightly
@pytest.mark.usefixtures("machine")
def test_live_serves_both_releases(both: str) -> None:
    assert re.findall(r"^MLflow (\S+) +(\S+)", both, re.MULTILINE) == [
        ("3.6.0", f"https://localhost:{HTTPS_PORT}"),
        ("3.17.2", f"https://second.localhost:{HTTPS_PORT}"),
    ]


@pytest.mark.nightly
@pytest.mark.usefixtures("machine")
def test_live_keeps_its_users_over_starts(both: str, state: Path) -> None:
    with started(state) as (_, said):
        again = USER.findall(said)

    # Passwords included.
    assert again == USER.findall(both)


@pytest.mark.usefixtures("machine")
def test_live_serves_dist_as_committed(state: Path) -> None:
    before, held = traces(), traces(held=True)

    with started(state) as (running, said):
        left_while_running = traces(held=True) - held
        (authority,) = re.findall(r"^authority +(.+)$", said, re.MULTILINE)
        second = subprocess.run([*COMMAND, "--state", str(state)], capture_output=True, text=True, check=False)
        context = ssl.create_default_context(cafile=authority)
        with urlopen(f"https://localhost:{HTTPS_PORT}/health", context=context, timeout=120) as answer:
            health = answer.status
        (login,) = re.findall(r"^bootstrap +(.+)$", said, re.MULTILINE)
        shown = block("docs/try-it.md", ".venv/bin/python").text
        planned = subprocess.run(
            ["bash", "-c", f"{login}\n{shown}"], cwd=ROOT, env=PLAIN, capture_output=True, text=True, check=False
        )
        os.killpg(running.pid, signal.SIGINT)
        assert running.stdout is not None
        rest = running.stdout.read()

    assert left_while_running
    assert health == 200
    assert (planned.returncode, " 0 to create" in planned.stdout or "unchanged" in planned.stdout) == (0, True)
    assert [name for name, _ in USER.findall(said)] == ["admin@example.com", "user@example.com", "outsider@example.com"]
    assert (second.returncode, second.stderr) == (
        1,
        f"error: it runs already, at https://localhost:{HTTPS_PORT}; end it with Ctrl-C where it was started, "
        f"or with `kill {running.pid}`\n",
    )
    assert running.returncode == 0
    assert rest.endswith("stopped\n")
    assert listening_ports() == []
    assert traces() == before


@pytest.mark.usefixtures("machine")
def test_live_names_a_taken_port(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", PORTS["keycloak"]))
        other.listen()

        done = subprocess.run([*COMMAND, "--state", str(tmp_path)], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert f"error: something else listens on 127.0.0.1, port {PORTS['keycloak']}; end it first" in done.stderr


def test_live_refuses_unknown_release() -> None:
    done = subprocess.run([*COMMAND, "--release", "9.9"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "invalid choice: '9.9'" in done.stderr


def test_live_needs_root() -> None:
    # In a user namespace without a mapping no user is root, whoever owns the files.
    done = subprocess.run(["unshare", "--user", *COMMAND], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (
        1,
        "error: a node needs root, for its namespaces, mounts and cgroups; run it with sudo\n",
    )
