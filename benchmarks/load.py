"""The same request again and again by Locust: how many a second were answered, and how long they waited."""

import csv
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCUST = ROOT / ".venv-load" / "bin" / "locust"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is sent again and again: a POST of JSON text with the headers of a login."""

    path: str
    body: str
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Load:
    """What all clients together did, and the milliseconds within which 95 of 100 requests were answered."""

    requests: int
    rate: float
    """A second."""
    p95: float

    @property
    def seconds(self) -> float:
        """How long it took, without Locust's start."""
        return self.requests / self.rate

    def __str__(self) -> str:
        return f"{self.rate:6.1f}/s {self.p95:5.0f} ms"


def generate(url: str, authority: Path, request: Request, *, clients: int, seconds: int) -> Load:
    """Have ``clients`` send it, each as soon as its last one was answered.

    Args:
        url: of the server; names below ``localhost`` are this machine.
        authority: PEM file of who signed the server's certificate.

    Raises:
        SystemExit: one request was not answered with 200, or Locust failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report")
        told = {"LOAD_AUTHORITY": str(authority), "LOAD_REQUEST": json.dumps(asdict(request))}
        # --reset-stats: connections are made before the figures begin; TLS handshakes are not what is measured.
        users = ["--headless", "--users", str(clients), "--spawn-rate", str(clients), "--reset-stats"]
        figures = ["--run-time", f"{seconds}s", "--csv", str(report), "--only-summary"]
        done = subprocess.run(
            [LOCUST, "-f", ROOT / "benchmarks" / "same_request.py", "--host", url, *users, *figures],
            env={**os.environ, **told},
            capture_output=True,
            text=True,
            check=False,
        )
        # A request that was refused ends it with 1: a refusal is quick, and would make the figures look good.
        if done.returncode:
            raise SystemExit(f"error: {request.path} was not always answered with 200: {done.stderr[-2000:]}")
        return _load(rows(report, "stats"))


def _load(stats: list[dict[str, str]]) -> Load:
    total = next(row for row in stats if row["Name"] == "Aggregated")
    if not int(total["Request Count"]):
        raise SystemExit("error: no request was answered in time; give SECONDS=30, or an idle machine")
    return Load(requests=int(total["Request Count"]), rate=float(total["Requests/s"]), p95=float(total["95%"]))


def rows(report: Path, figures: str) -> list[dict[str, str]]:
    """A file of Locust's figures.

    Raises:
        SystemExit: Locust has written none.
    """
    file = Path(f"{report}_{figures}.csv")
    if not file.exists():
        log = report.with_suffix(".log")
        raise SystemExit(f"error: Locust ended early: {log.read_text()[-2000:] if log.exists() else ''}")
    with file.open(newline="") as text:
        return list(csv.DictReader(text))
