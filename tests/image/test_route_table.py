"""The guide shows the tables of routes as they are."""

import subprocess
import sys

from pod import ROOT


def test_guide_has_current_route_tables() -> None:
    command = [sys.executable, str(ROOT / "tools" / "route_table.py"), "--check"]

    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT / "image")}, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
