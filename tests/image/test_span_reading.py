"""Spans are read as MLflow reads them: compressed or not, and only with the ids of their own traces."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from attacked import INSIDE
from pod import ROOT, Venv

pytestmark = pytest.mark.servers

READ = """
import gzip, json, zlib
from otlp import root_span
from mlflow_sso.authorization import otlp
from mlflow_sso.authorization.errors import RefusedError
TRACE, OTHER = "tr-" + "a" * 32, "tr-" + "b" * 32
own, other = root_span(TRACE), root_span(OTHER)
otlp.MAX_DECOMPRESSED = 10_000
def read(body, *encodings, types=("application/x-protobuf",)):
    try:
        return sorted(otlp.read_spans(body, content_types=types, encodings=encodings).trace_ids)
    except RefusedError as refused:
        return refused.status
raw = zlib.compressobj(wbits=-15)
print(json.dumps({
    "plain": read(own),
    "gzip": read(gzip.compress(own), "gzip"),
    "two members": read(gzip.compress(own) + gzip.compress(other), "gzip"),
    "deflate": read(zlib.compress(own), "deflate"),
    "raw deflate": read(raw.compress(own) + raw.flush(), "deflate"),
    "bomb": read(gzip.compress(bytes(20_000)), "gzip"),
    "bomb in the second member": read(gzip.compress(own) + gzip.compress(bytes(20_000)), "gzip"),
    "not compressed": read(own, "gzip"),
    "unknown": read(own, "br"),
    "twice": read(own, "gzip", "gzip"),
    "no type": read(own, types=()),
    "own id said": read(root_span(TRACE, {"mlflow.traceRequestId": TRACE})),
    "other id said": read(root_span(TRACE, {"mlflow.traceRequestId": OTHER})),
    "other id said as JSON": read(root_span(TRACE, {"mlflow.traceRequestId": json.dumps(OTHER)})),
}))
"""
OWN, BOTH = ["tr-" + "a" * 32], ["tr-" + "a" * 32, "tr-" + "b" * 32]


def test_spans_are_read_as_mlflow_does(venv: Venv, tmp_path: Path) -> None:
    found = read_inside(venv, tmp_path)

    # Release 3.6.0 knows no compression, so a compressed body is refused there.
    compressed = venv.release == "3.17.2"
    assert found == {
        "plain": OWN,
        "gzip": OWN if compressed else 400,
        "two members": BOTH if compressed else 400,
        "deflate": OWN if compressed else 400,
        "raw deflate": OWN if compressed else 400,
        "bomb": 413 if compressed else 400,
        "bomb in the second member": 413 if compressed else 400,
        "not compressed": 400,
        "unknown": 400,
        "twice": 400,
        "no type": 400,
        "own id said": OWN,
        "other id said": 403,
        "other id said as JSON": 403,
    }


def read_inside(venv: Venv, folder: Path) -> Any:
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": f"{ROOT / 'image'}:{INSIDE}"}
    command = [venv.python, "-W", "ignore", "-c", READ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
