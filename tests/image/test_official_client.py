"""MLflow's own clients do all they are documented to do, as a member, behind the rules of either release."""

import json
import os
import secrets
import subprocess
from pathlib import Path

import pytest
from attacked import INSIDE
from pod import QUIET, Venv
from serving import Serving, Site

pytestmark = [pytest.mark.servers, pytest.mark.either_release]


# Named so that the server's release decides in which process the test runs.
@pytest.mark.parametrize("client", ["3.6.0", "3.17.2"], ids="client {}".format)
def test_client_works_as_member(client: str, server: Serving, site: Site, tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "MLFLOW_TRACKING_URI": server.url,
        "MLFLOW_TRACKING_USERNAME": "anna@example.com",
        "MLFLOW_TRACKING_PASSWORD": site.keys["anna"],
        # By default the client repeats a failed request for minutes.
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_GENAI_EVAL_MAX_WORKERS": "1",
        "MLFLOW_LOGGING_LEVEL": "DEBUG",
        **QUIET,
    }
    program = [Venv(release=client).python, INSIDE / "use_client.py", f"client{secrets.token_hex(6)}"]

    done = subprocess.run(program, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "PERMISSION_DENIED" not in done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["run"] == {"runs": 1, "loaded": 2, "tables": 2, "model": True, "answer": "answer to one"}
    assert found["traces"] == {"spans": 1, "found": True, "assessed": 1}
    assert found["prompts"]["version"] == 2
    assert found["datasets"] == {"records": 2}
    assert found["evaluation"] == {"first": {"is_long/mean": 1.0}, "second": {"is_long/mean": 1.0}}
    assert found["copied"] == {"is_long/mean": 1.0}
