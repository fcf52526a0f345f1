"""Scripts that start as the server does, in a process of their own."""

import json
from dataclasses import replace
from typing import Any

from pod import Pod

LEAVES = """
from mlflow_oidc_auth import app
def leaves(routes):
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from [route] if router is None else leaves(router.routes)
"""
"""Defines ``leaves``: the routes of 3.17.2 below routers that were included."""


def ask(pod: Pod, script: str, *arguments: str, **environment: str) -> Any:
    """What a script prints last, as JSON; it gets the root of the Secrets, then ``arguments``."""
    # A fork of a process that has imported MLflow would have started already.
    done = replace(pod, forks=None).script(script, str(pod.secrets_root), *arguments, **environment)
    assert done.code == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
