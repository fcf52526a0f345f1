"""Watches the mounted Secrets, and says when the workers have to be replaced, with which variables."""

import time
import zlib
from collections.abc import Mapping
from typing import Any

from mlflow_sso.ca_bundle import trust_mounted_authorities
from mlflow_sso.log import progress
from mlflow_sso.releases import Release
from mlflow_sso.secrets_root import SecretsRoot
from mlflow_sso.serve.environment import server_variables
from mlflow_sso.serve.rotation.checks import problems_of_change
from mlflow_sso.serve.rotation.outcomes import Outcomes
from mlflow_sso.serve.rotation.snapshot import Snapshot, changed, needs_new_workers, take_snapshot

POLL_SECONDS = 2.0
"""Between two looks; a change counts once two of them have seen the same."""

SPREAD_SECONDS = 30
"""Over how long the pods of a Deployment, which the kubelet tells at once, begin."""


def share_of_spread(pod: str) -> float:
    """Seconds that the pod of this name waits."""
    return zlib.crc32(pod.encode()) % (SPREAD_SECONDS * 10) / 10


class Rotation:
    """What the server makes of changes below ``root``; ``given`` is the container's environment without secrets."""

    def __init__(
        self, release: Release, root: SecretsRoot, given: Mapping[str, str], *, outcomes: Outcomes, delay: float
    ) -> None:
        self._release, self._root, self._given = release, root, given
        self._outcomes, self._delay = outcomes, delay
        self._used = self._seen = take_snapshot(root)
        self._refused: Snapshot | None = None
        self._next_look = self._due = 0.0
        self._replacing = False

    def variables(self) -> dict[str, str]:
        """What workers get that start now."""
        return server_variables(self._release, self._root, self._given)

    def look(self) -> dict[str, str] | None:
        """The variables of new workers if all are to be replaced now, else None. Looks at most every two seconds."""
        now = time.monotonic()
        if now < self._next_look:
            return None
        self._next_look = now + POLL_SECONDS
        began, before, self._seen = time.time(), self._seen, take_snapshot(self._root)
        # Several Secrets may be changing one after another.
        if self._seen != before:
            return None
        if self._seen == self._used:
            self._due, self._refused, self._outcomes.in_use = 0.0, None, not self._replacing
            self._outcomes.used_at = self._outcomes.used_at if self._replacing else began
            return None
        return None if self._seen == self._refused else self._act(now, changed(self._used, self._seen))

    def replaced(self, **fields: Any) -> None:
        """Note that every worker has the values that were taken last; others may be mounted since, and refused."""
        self._replacing, self._outcomes.in_use = False, self._seen == self._used
        self._outcomes.count("replaced")
        progress("replaced every worker after a mounted Secret had changed", **fields)

    def failed(self, **fields: Any) -> None:
        """Note that a worker could not start with the newest values."""
        self._outcomes.count("failed")
        progress(
            "a worker cannot start with the changed Secrets; those that run go on",
            level="warning",
            remedy="see its lines above, and correct the Secret",
            **fields,
        )

    def _act(self, now: float, names: frozenset[str]) -> dict[str, str] | None:
        problems = list(problems_of_change(self._release, self._root, self._given))
        if problems:
            self._refuse(problems)
            return None
        if not needs_new_workers(names):
            self._used, self._refused = self._seen, None
            self._outcomes.in_use = not self._replacing
            self._outcomes.count("at_once")
            progress("a mounted Secret has changed and is in use", files=sorted(names))
            return None
        self._outcomes.in_use = False
        # From the first change on, so that further ones do not put it off.
        self._due = self._due or now + self._delay
        if now < self._due:
            return None
        self._due, self._used, self._refused, self._replacing = 0.0, self._seen, None, True
        trust_mounted_authorities(self._root)
        progress("a mounted Secret has changed, replacing the workers one by one", files=sorted(names))
        return self.variables()

    def _refuse(self, problems: list[str]) -> None:
        self._refused, self._due, self._outcomes.in_use = self._seen, 0.0, False
        self._outcomes.count("refused")
        progress(
            "a changed Secret is not used; the workers go on with what they have",
            level="warning",
            problems=problems,
            remedy="correct the Secret",
        )
