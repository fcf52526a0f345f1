"""Renews a secret: in the store first, then in its system, so that a run that dies is ended by the next apply."""

from collections.abc import Callable

from mlflow_bootstrap import engine
from mlflow_bootstrap.difference import Difference, Secrecy
from mlflow_bootstrap.engine import Action, Change, Outcome
from mlflow_bootstrap.run import Run
from mlflow_bootstrap.systems import SYSTEMS


def renew(run: Run, entry: str, *, say: Callable[[str], None]) -> Outcome:
    """Renew ``entry``, and tell ``say`` what follows from it.

    Raises:
        UsageError: nothing of it can be renewed here.
    """
    # Before anything is renewed: a new value in the store that no system takes would lock MLflow out.
    refused = [failure for failure in _planned(run, entry).failures if failure.is_foreign]
    for failure in refused:
        run.report(failure)
    if refused:
        return Outcome(failures=tuple(refused))
    with run.step(f"renewing {entry}"):
        fields = run.backend.rotate(entry)
    renewed = tuple(Difference(field, Secrecy.RENEWED, Secrecy.RIGHT) for field in fields)
    change = Change(Action.UPDATE, run.backend.address(entry), renewed)
    run.report(change)
    outcome = _apply_to_system(run, entry)
    for line in _consequences(run, entry):
        say(line)
    return Outcome((change, *outcome.changes), outcome.failures)


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
    restart = f"kubectl -n {settings.namespace} rollout restart deployment/{settings.name}"
    return [*lines, f"pods read it at their start: `{restart}` once the Secret has changed"]
