"""The real client of a release, in a pod of its own, with nothing but what its user would set."""

from pathlib import Path

from live.users import User
from testbed.node.client import AUTHORITY
from testbed.system import System

LOG_A_RUN = Path(__file__).with_name("log_a_run.py")


def log_a_run(system: System, user: User, key: str, *, experiment: str) -> tuple[str, str]:
    """Experiment and run that ``log_a_run.py`` made with an access key."""
    done = system.client_pod.run(
        LOG_A_RUN,
        experiment,
        variables={
            "MLFLOW_TRACKING_URI": system.url,
            "MLFLOW_TRACKING_USERNAME": user.email,
            "MLFLOW_TRACKING_PASSWORD": key,
            "REQUESTS_CA_BUNDLE": AUTHORITY,
        },
    )
    assert done.returncode == 0, done.stderr
    # From the end: the client may print a hint of its own before.
    made, run = done.stdout.split()[-2:]
    return made, run
