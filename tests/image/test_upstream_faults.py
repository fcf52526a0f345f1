"""Each patch answers a fault that the release has without it: if one of these fails, upstream has mended it."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pod import Venv

ROOT = Path(__file__).parents[2]
INSIDE = Path(__file__).with_name("inside")

FAULTS: dict[str, dict[str, Any]] = {
    "3.6.0": {
        "credentials": {"unknown scheme": 500, "unknown user": 500},
        "file_names": {"in latin-1": False},
        "group_members": {"status": 500},
        "key_expiry": {"accepted": True, "updates": 1},
        "keycloak_logout": {"ends Keycloak's session": False},
        "metric_history": {"metrics": 0, "leads on": True},
        "model_renames": {"status": 404, "group": "before"},
        "realm_requests": {"kept": {"error": "unavailable"}, "timeouts": [None, None]},
        "refusal": {"asks for e-mail": False, "error vanishes": True},
        "return_address": {"leads to": "/oidc/ui/"},
        "row_reads": {"grows": True},
        "sessions": {"began": 302, "same": True, "secure": False},
        "span_export": {"mlflow": True, "plugin": False},
        "text_flags": {"administrator": True},
    },
    "3.17.2": {
        "absent_spans": {"status": 500},
        "basic_login": {"at once": 1},
        "bearer_keys": {"basic": 200, "bearer": 401},
        "direct_passing": {"tasks": 4},
        "grant_reads": {"grows": True},
        "last_administrator": {"refused": True},
        "late_routes": {"at once": True},
        "mcp_reads": {"read": True, "granted": False},
        "outages": {"status": 401},
        "parameter_types": {"one each": True},
        "part_uploads": {"raises": "ClientError"},
        "proxied_artifacts": {"multipart_downloads_enabled": True},
        "realm_requests": {"kept": {"error": "unavailable"}},
        "return_address": {"leads to": "/oidc/ui"},
        "route_index": {"every router": True},
        "router_errors": {"status": 500},
        "row_reads": {"grows": True},
        "run_owners": {"reads": 2},
        "session_keys": {"reads": False},
        "sent_names": {"name": "Anna@Example.com"},
        "trace_analytics": {"pages by or": True},
    },
}
"""What ``inside/faults_*.py`` see of each release, by the module of ``mlflow_sso/patches`` that answers it."""


@pytest.mark.servers
def test_release_has_each_fault_unpatched(venv: Venv, tmp_path: Path) -> None:
    script = INSIDE / f"faults_{venv.release.replace('.', '_')}.py"
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "image")}

    done = subprocess.run(
        [venv.path / "bin" / "python", script], cwd=tmp_path, env=variables, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == FAULTS[venv.release]


@pytest.mark.parametrize("release", FAULTS)
def test_each_patch_has_fault(release: str) -> None:
    folder = ROOT / "image" / "mlflow_sso" / "patches" / f"mlflow_{release.replace('.', '_')}"

    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(FAULTS[release])
