"""The real client of a release, in a process of its own, with nothing but what its user would set."""

import os
import subprocess
from pathlib import Path

from live.system import System
from live.users import User

LOG_A_RUN = Path(__file__).with_name("log_a_run.py")


def log_a_run(system: System, user: User, key: str, *, experiment: str) -> tuple[str, str]:
    """Experiment and run that ``log_a_run.py`` made with an access key."""
    done = subprocess.run(
        [system.cluster.image.venv / "bin" / "python", LOG_A_RUN, experiment],
        env={
            "PATH": os.environ["PATH"],
            "MLFLOW_TRACKING_URI": system.url,
            "MLFLOW_TRACKING_USERNAME": user.email,
            "MLFLOW_TRACKING_PASSWORD": key,
            "REQUESTS_CA_BUNDLE": str(system.ca),
            "GIT_PYTHON_REFRESH": "quiet",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    made, run = done.stdout.split()[-2:]
    return made, run
