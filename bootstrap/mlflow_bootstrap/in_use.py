"""Waits until every pod of the server uses the values of an entry, and says which does not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from urllib.parse import quote

from cdk8s_mlflow.contract import CONTAINER, METRICS_PORT, SECRETS_ROOT, SecretTemplate, secret_templates
from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.doctor.cluster_reader import ClusterReader, Object, condition
from mlflow_bootstrap.doctor.errors import CannotReadError
from mlflow_bootstrap.errors import BootstrapError, UnreachableError
from mlflow_bootstrap.values import SecretValues, required

PAUSE_SECONDS = 5.0
_EXEC_SECONDS = 30.0
_CHECK = ["mlflow-sso", "check", "--reads-only", "--json", "--timeout", "10"]
PROOFS: Mapping[str, frozenset[str]] = {
    "postgres": frozenset({"postgresql mlflow", "postgresql mlflow_auth"}),
    "s3": frozenset({"artifact bucket"}),
    "oidc": frozenset({"oidc client"}),
    "server": frozenset(),
}
"""Entries that the server's pods use, and the lines of ``mlflow-sso check`` that fail if a system has another value."""

READ_IN_POD = """
import hashlib, json, pathlib, re, sys, time, urllib.request
began, root, port = time.time(), pathlib.Path(sys.argv[1]), sys.argv[2]
digests = {}
for name in sys.argv[3:]:
    try:
        digests[name] = hashlib.sha256((root / name).read_bytes()).hexdigest()
    except OSError:
        pass
page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20).read().decode()
used = re.search(r"^mlflow_sso_secrets_used_timestamp_seconds (\\S+)", page, re.M)
print(json.dumps({"began": began, "digests": digests, "used": float(used[1]) if used else None}))
"""
"""Prints digests of mounted files, and when a look last found what is mounted in use: no value leaves the pod."""


class PodsInUse:
    """The server's pods of an environment, asked whether they use the values of ``entry``."""

    def __init__(self, settings: Settings, entry: str, values: SecretValues) -> None:
        self._settings, self._entry = settings, entry
        self._cluster = ClusterReader(settings)
        self._wanted = dict(_digests(settings, entry, values))
        self._mounted_since: dict[str, float] = {}
        self._proven: set[str] = set()

    def wait(self, *, seconds: float, say: Callable[[str], None]) -> int:
        """Wait until all of them do; the number of pods.

        Raises:
            UnreachableError: the cluster cannot be asked.
            BootstrapError: the time is over; its text names each pod and what it lacks.
        """
        deadline, said = time.monotonic() + seconds, ""
        while True:
            pods, late = self.look()
            if not late:
                return pods
            text = "; ".join(f"{pod}: {reason}" for pod, reason in late.items())
            if time.monotonic() > deadline:
                raise BootstrapError(
                    f"not in use after {seconds:.0f} s by {len(late)} of {pods} pods ({text})",
                    remedy="the value is in the store; see docs/tasks/rotate.md, and run `doctor`",
                )
            if text != said:
                say(f"waiting for {text}")
                said = text
            time.sleep(PAUSE_SECONDS)

    def look(self) -> tuple[int, dict[str, str]]:
        """The number of pods, and by name what keeps those from using the values that do not.

        Raises:
            UnreachableError: the cluster cannot be asked.
        """
        try:
            pods = self._pods()
            return len(pods), {pod: reason for pod in pods if (reason := self._lacks(pod))}
        except CannotReadError as error:
            raise UnreachableError(
                f"cannot see whether pods use it ({error})", remedy=f"{error.remedy}; --no-wait does not ask"
            ) from None

    def _pods(self) -> dict[str, Object]:
        settings = self._settings
        labels = f"app.kubernetes.io/component=tracking-server,app.kubernetes.io/instance={settings.instance}"
        path = f"/api/v1/namespaces/{quote(settings.namespace)}/pods"
        found = self._cluster.items(path, labelSelector=labels)
        # One that ends starts nothing any more.
        alive = [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]
        self._ready = {pod["metadata"]["name"]: condition(pod).get("status") == "True" for pod in alive}
        return {pod["metadata"]["name"]: pod for pod in alive}

    def _lacks(self, pod: str) -> str:
        """What keeps ``pod`` from using the values; empty if nothing does."""
        if pod in self._proven:
            return ""
        if not self._ready[pod]:
            return "is not ready"
        command = ["python", "-c", READ_IN_POD, SECRETS_ROOT, str(METRICS_PORT), *self._wanted]
        answer = self._last_line(pod, command)
        if answer is None:
            return "does not answer"
        if answer["digests"] != self._wanted:
            self._mounted_since.pop(pod, None)
            return "has the earlier files mounted"
        since = self._mounted_since.setdefault(pod, answer["began"])
        if answer["used"] is None:
            return "runs an older image, which does not tell what its workers use"
        if answer["used"] < since:
            return "has it mounted, and workers with the earlier values"
        return self._unproven(pod)

    def _unproven(self, pod: str) -> str:
        proofs = PROOFS[self._entry]
        if proofs:
            printed = self._execute(pod, _CHECK)
            rows = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
            passed = {row["name"] for row in rows if row["state"] == "ok"}
            if not proofs <= passed:
                return f"has it, and {', '.join(sorted(proofs - passed))} does not take it yet"
        self._proven.add(pod)
        return ""

    def _last_line(self, pod: str, command: list[str]) -> Object | None:
        lines = [line for line in self._execute(pod, command).splitlines() if line.startswith("{")]
        return json.loads(lines[-1]) if lines else None

    def _execute(self, pod: str, command: list[str]) -> str:
        return self._cluster.execute(self._settings.namespace, pod, command, container=CONTAINER, seconds=_EXEC_SECONDS)


def _digests(settings: Settings, entry: str, values: SecretValues) -> Iterator[tuple[str, str]]:
    """Of each file that the server's pods must have mounted, by mount and name."""
    for template in mounted_templates(settings, entry):
        known = {name: required(values, entry, name).get_secret_value() for name in template.fields}
        for name, text in template.render(known).items():
            yield f"{template.mount}/{name}", sha256(text.encode()).hexdigest()


def mounted_templates(settings: Settings, entry: str) -> list[SecretTemplate]:
    """Secrets of ``entry`` that the server's pods mount."""
    return [one for one in secret_templates(settings) if one.entry == entry and one.mount is not None]
