"""What a server says of its mounted Secrets that change, and a pod whose Secrets a test may change."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

from mounts import PROMPT
from pod import Pod
from serving import Serving


def with_own_secrets(pod: Pod, folder: Path) -> Pod:
    """The pod with a copy of its Secrets in ``folder``, whose turn to replace its workers comes at once."""
    shutil.copytree(pod.secrets_root, folder / "secrets")
    # Both name files, so that they must lead into the copy.
    own = {
        "PGSERVICEFILE": str(folder / "secrets/db/pg_service.conf"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "secrets/s3/credentials"),
        "HOSTNAME": PROMPT,
    }
    return replace(pod, folder=folder, settings={**pod.settings, **own})


def reloaded(server: Serving) -> dict[str, int]:
    """How many changes ended how."""
    found = re.findall(r'^mlflow_sso_secrets_reloaded_total{result="(\w+)"} (\d+)', server.metrics(), re.M)
    return {result: int(count) for result, count in found if int(count)}


def in_use(server: Serving) -> bool:
    return "mlflow_sso_secrets_in_use 1.0" in server.metrics()


def messages(server: Serving, beginning: str) -> list[dict[str, object]]:
    lines = [line for line in server.log.read_text().splitlines() if line.startswith("{")]
    return [found for found in map(json.loads, lines) if str(found.get("message")).startswith(beginning)]
