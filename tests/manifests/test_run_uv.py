"""tools/run_uv.py: uv uses the index and the certificates that pip is configured for."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRINT = "#!/bin/sh\nenv | grep -E '^(UV_|SSL_C|ALL_PROXY)' | sort\n"
CONFIGURATION = """\
[global]
index-url = https://mirror.example.com/simple
cert = /etc/company.pem
trusted-host = mirror.example.com
[install]
extra-index-url =
    https://one.example.com/simple
    https://two.example.com/simple
"""


def told(folder: Path, configuration: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """What uv is told, by a program in its place that prints it."""
    (folder / "pip.conf").write_text(configuration)
    program = folder / "uv"
    program.write_text(PRINT)
    program.chmod(0o755)
    # Without the developer's own variables of pip and uv.
    clean = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "PIP_CONFIG_FILE": str(folder / "pip.conf")}
    command = [sys.executable, ROOT / "tools" / "run_uv.py", program]
    return subprocess.run(command, env={**clean, **variables}, capture_output=True, text=True, check=True)


def test_uv_gets_what_pip_conf_says(tmp_path: Path) -> None:
    assert told(tmp_path, CONFIGURATION).stdout.splitlines() == [
        "SSL_CERT_FILE=/etc/company.pem",
        "UV_DEFAULT_INDEX=https://mirror.example.com/simple",
        "UV_INDEX=https://one.example.com/simple https://two.example.com/simple",
        # pip takes the best version of all indexes; uv by itself stops at the first that has the package.
        "UV_INDEX_STRATEGY=unsafe-best-match",
        "UV_INSECURE_HOST=mirror.example.com",
    ]


def test_uv_gets_what_pip_variables_say(tmp_path: Path) -> None:
    done = told(tmp_path, CONFIGURATION, PIP_INDEX_URL="https://other.example.com/simple", PIP_CERT="/other.pem")

    assert "UV_DEFAULT_INDEX=https://other.example.com/simple" in done.stdout
    assert "SSL_CERT_FILE=/other.pem" in done.stdout


def test_uv_settings_win_over_those_of_pip(tmp_path: Path) -> None:
    done = told(tmp_path, CONFIGURATION, UV_DEFAULT_INDEX="https://uv.example.com/simple", SSL_CERT_FILE="/uv.pem")

    assert "UV_DEFAULT_INDEX=https://uv.example.com/simple" in done.stdout
    assert "SSL_CERT_FILE=/uv.pem" in done.stdout


def test_uv_gets_nothing_without_configuration(tmp_path: Path) -> None:
    assert "UV_" not in told(tmp_path, "").stdout
