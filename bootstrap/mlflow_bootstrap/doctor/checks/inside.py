"""What the server's pod sees: ``mlflow-sso check`` in it, for schema, bucket, provider and session store."""

import json
from collections.abc import Iterator

from cdk8s_mlflow.contract import CONTAINER
from mlflow_bootstrap.doctor.cluster_reader import Object, collection, condition
from mlflow_bootstrap.doctor.errors import CannotReadError
from mlflow_bootstrap.doctor.examination import Examination
from mlflow_bootstrap.doctor.line import Line, failed, passed, unknown

_SECONDS = 8
_COMMAND = ["mlflow-sso", "check", "--reads-only", "--json", "--timeout", "4"]
_MEANS = {
    "postgresql mlflow": "experiments and runs cannot be read",
    "postgresql mlflow_auth": "no user is let in",
    "artifact bucket": "artifacts cannot be read or stored",
    "oidc discovery": "no user can log in",
    "oidc client": "no user can log in: the secret in mlflow-oidc-config is not the client's",
    "session store": "browser sessions are lost",
}


def inside(examined: Examination) -> Iterator[Line]:
    """The lines of ``mlflow-sso check`` in a pod that is ready."""
    namespace = examined.settings.namespace
    pod = _ready_pod(examined)
    if pod is None:
        yield unknown("in the pod", "no pod of the server is ready", do="look at the lines of Job and Deployment")
        return
    name = pod["metadata"]["name"]
    printed = examined.cluster.execute(namespace, name, _COMMAND, container=CONTAINER, seconds=_SECONDS)
    rows = _rows(printed)
    if not rows:
        raise CannotReadError(
            f"mlflow-sso check said nothing within {_SECONDS} s in pod {name}",
            remedy=f"kubectl -n {namespace} exec {name} -- mlflow-sso check",
        )
    for row in rows:
        yield _line(row)


def _ready_pod(examined: Examination) -> Object | None:
    settings = examined.settings
    labels = f"app.kubernetes.io/component=tracking-server,app.kubernetes.io/instance={settings.instance}"
    pods = examined.cluster.items(collection("v1", "Pod", settings.namespace), labelSelector=labels)
    # A pod that is being deleted may stay ready until its grace period ends.
    running = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    return next((pod for pod in running if condition(pod).get("status") == "True"), None)


def _rows(printed: str) -> list[dict[str, str]]:
    # Libraries may print warnings to standard output before the program's own lines.
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    return [json.loads(line) for line in lines]


def _line(row: dict[str, str]) -> Line:
    name = f"in the pod: {row['name']}"
    if row["state"] == "ok":
        return passed(name, row["text"])
    means = _MEANS.get(row["name"], "the server is slower, or refuses some requests")
    return failed(name, row["text"], means=means, do=row["remedy"] or "look at the pod's log")
