"""Renews a secret: in the store first, then in its system, so that a run that dies is ended by the next apply.

Then waits until the pods use it.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap import engine
from mlflow_bootstrap.difference import Difference, Secrecy
from mlflow_bootstrap.engine import Action, Change, Failure, Outcome
from mlflow_bootstrap.errors import BootstrapError
from mlflow_bootstrap.run import Run
from mlflow_bootstrap.store.entries import NOT_GIVEN
from mlflow_bootstrap.systems import SYSTEMS


def renew(run: Run, entry: str, *, say: Callable[[str], None], wait_seconds: float = 0.0) -> Outcome:
    """Renew ``entry``, tell ``say`` what follows from it, and wait at most ``wait_seconds`` until the pods use it.

    Raises:
        UsageError: nothing of it can be renewed here.
    """
    # Before anything is renewed: a new value in the store that no system takes would lock MLflow out.
    refused = [failure for failure in _planned(run, entry).failures if failure.is_foreign]
    for failure in refused:
        run.report(failure)
    if refused:
        return Outcome(failures=tuple(refused))
    if wait_seconds and entry == "s3" and run.settings.artifacts.kind == "minio":
        return _renew_beside(run, say=say, seconds=wait_seconds)
    change = store_new(run, entry)
    outcome = _apply_to_system(run, entry)
    for line in _consequences(run, entry):
        say(line)
    failures = outcome.failures
    if wait_seconds and not failures:
        failures = tuple(_wait_in_pods(run, entry, say=say, seconds=wait_seconds))
    return Outcome((change, *outcome.changes), failures)


def _renew_beside(run: Run, *, say: Callable[[str], None], seconds: float) -> Outcome:
    from mlflow_bootstrap.in_use import PodsInUse
    from mlflow_bootstrap.second_key import ENTRY, renew_beside

    changes: list[Change] = []
    pods = PodsInUse(run.settings, ENTRY, run.backend.values)
    wait, store = partial(_wait, run, ENTRY, say=say, seconds=seconds), partial(store_new, run, ENTRY)
    try:
        for change in renew_beside(run, look=pods.look, wait=wait, store=store, say=say):
            changes.append(change)  # noqa: PERF402
    except BootstrapError as error:
        failure = Failure(ENTRY, error)
        run.report(failure)
        return Outcome(tuple(changes), (failure,))
    return Outcome(tuple(changes))


def store_new(run: Run, entry: str, given: Mapping[str, str] = NOT_GIVEN) -> Change:
    """Renew ``entry`` in the store, and report it; fields that are ``given`` take that value."""
    with run.step(f"renewing {entry}"):
        fields = run.backend.rotate(entry, given)
    renewed = tuple(Difference(field, Secrecy.RENEWED, Secrecy.RIGHT) for field in fields)
    change = Change(Action.UPDATE, run.backend.address(entry), renewed)
    run.report(change)
    return change


def _wait_in_pods(run: Run, entry: str, *, say: Callable[[str], None], seconds: float) -> Iterator[Failure]:
    try:
        _wait(run, entry, say=say, seconds=seconds)
    except BootstrapError as error:
        failure = Failure("pods", error)
        run.report(failure)
        yield failure


def _wait(run: Run, entry: str, *, say: Callable[[str], None], seconds: float) -> None:
    """Wait until all pods use what the store holds.

    Raises:
        BootstrapError: they do not in time, or cannot be asked.
    """
    # The library of Kubernetes takes half a second to import, and only a wait needs it.
    from mlflow_bootstrap.in_use import PROOFS, PodsInUse
    from mlflow_bootstrap.store.synchronizing import synchronize

    if entry not in PROOFS:
        return
    if run.settings.secrets.mode == "external-secrets":
        for line in synchronize(run.settings, entry):
            say(line)
    started = time.monotonic()
    with run.step("waiting for the pods"):
        pods = PodsInUse(run.settings, entry, run.backend.values).wait(seconds=seconds, say=say)
    say(f"all {pods} pods use the new value after {time.monotonic() - started:.0f} s")


def _planned(run: Run, entry: str) -> Outcome:
    """Whether the entry is ours to renew."""
    return engine.plan(run.backend.resources([entry]), report=lambda _: None)


def _apply_to_system(run: Run, entry: str) -> Outcome:
    # The role would be planned as wrong until the operator has seen the new Secret.
    if entry == "postgres" and _set_by_cloudnativepg(run):
        return Outcome()
    systems = [system.name for system in SYSTEMS if entry in system.rotates]
    if not systems:
        return Outcome()
    return run.each(systems, lambda resources: engine.apply(resources, report=run.report))


def _set_by_cloudnativepg(run: Run) -> bool:
    """Whether the new password logs in only later, once an operator has seen the Secret change."""
    return run.settings.database.role_management != "bootstrap"


def _consequences(run: Run, entry: str) -> list[str]:
    settings = run.settings
    lines = []
    if settings.secrets.mode == "external-secrets":
        lines.append(f"External Secrets copies the new value within {settings.secrets.refresh_interval}")
    if entry == "postgres" and _set_by_cloudnativepg(run):
        lines.append("CloudNativePG sets the role's password when the Secret in its namespace has changed")
    return [*lines, *_IN_PODS[entry], *(_KEPT_SESSIONS if entry == "server" and _keeps_sessions(settings) else ())]


def _keeps_sessions(settings: Settings) -> bool:
    return any(key.keeps_previous for key in settings.server_keys)


_IN_USE = "pods use the new value as soon as their Secret has changed, without a restart"
_REPLACED = "pods replace their processes one by one within two minutes after their Secret has changed"
_IN_PODS = {
    "postgres": (_IN_USE,),
    "s3": (_IN_USE, "until then artifacts cannot be read or written; without --no-wait no moment is lost"),
    "oidc": (_REPLACED, "until then no user can log in; who is logged in stays so"),
    "server": (_REPLACED,),
    "directory": ("the next run of end-access reads it",),
}
_KEPT_SESSIONS = ("sessions go on: the keys before stay valid until the next rotation; after a leak, rotate twice",)
