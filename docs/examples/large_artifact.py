"""Send a large file to a run and get it back unchanged.

Needs: mlflow, python-dotenv, and connection.py beside it.
"""

import hashlib
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
from connection import connect

connect()
experiment = sys.argv[1] if len(sys.argv) > 1 else "large"
mebibytes = int(sys.argv[2]) if len(sys.argv) > 2 else 200


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


mlflow.set_experiment(experiment)
with TemporaryDirectory() as folder, mlflow.start_run() as run:
    sent = Path(folder, "weights.bin")
    with sent.open("wb") as content:
        for _ in range(mebibytes):
            content.write(os.urandom(1 << 20))
    mlflow.log_artifact(str(sent))
    received = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path=sent.name, dst_path=str(Path(folder, "received"))
    )
    assert Path(received).stat().st_size == mebibytes << 20
    assert digest(Path(received)) == digest(sent)
print(f"{mebibytes} MiB there and back, sha256 equal")
