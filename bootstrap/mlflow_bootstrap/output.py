"""What a run prints: lines as they come, or one JSON document at its end."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from mlflow_bootstrap.difference import Difference
from mlflow_bootstrap.engine import Action, Change, Failure, Outcome
from mlflow_bootstrap.errors import OwnershipError


class Format(StrEnum):
    """Forms of output."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Output:
    """Prints to standard output, and failures of the text form to standard error."""

    form: Format

    def report(self, item: Change | Failure) -> None:
        """Print one line: a failure to standard error; a change, and what others own, in the text form only."""
        # In the text form this is a line of the plan, which belongs among the others.
        if isinstance(item, Failure) and item.is_foreign and self.form is Format.TEXT:
            # Standard output is buffered in a pipe, and would arrive after the errors.
            print(item, flush=True)
        elif isinstance(item, Failure):
            print(f"error: {item.address}: {item.error}", file=sys.stderr, flush=True)
        elif self.form is Format.TEXT:
            print(item, flush=True)

    def note(self, line: str) -> None:
        """Say something beside the result."""
        print(f"note: {line}", file=sys.stderr, flush=True)

    def finish(self, environment: str, outcome: Outcome, *, done: bool) -> None:
        """Print the summary, or the document; ``done`` if changes were applied and not only planned."""
        if self.form is Format.JSON:
            print(_document(environment, outcome))
            return
        print(_summary(environment, outcome, done=done))
        # Each once, in the order of the plan.
        flags = dict.fromkeys(error.flag for error in _foreign(outcome) if error.flag)
        if flags:
            command = f"bootstrap.py apply --environment {environment} {' '.join(flags)}"
            self.note(f"once you have read what differs, this takes all of it over: {command}")

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show what is under way on a terminal; elsewhere the lines of the resources are progress enough."""
        if not sys.stderr.isatty():
            yield
            return
        # rich takes 0.2 s to import, and only a terminal gets a spinner.
        from rich.console import Console

        with Console(stderr=True).status(title):
            yield


_PLANNED = {
    Action.CREATE: "to create",
    Action.UPDATE: "to change",
    Action.DELETE: "to delete",
    Action.KEEP: "unchanged",
}
_DONE = _PLANNED | {Action.CREATE: "created", Action.UPDATE: "changed", Action.DELETE: "deleted"}


def _summary(environment: str, outcome: Outcome, *, done: bool) -> str:
    words = _DONE if done else _PLANNED
    counts = {action: sum(change.action is action for change in outcome.changes) for action in Action}
    parts = [f"{count} {words[action]}" for action, count in counts.items() if count]
    foreign = len(_foreign(outcome))
    failed = len(outcome.failures) - foreign
    parts += [f"{foreign} of others"] if foreign else []
    parts += [f"{failed} failed"] if failed else []
    return f"{environment}: {', '.join(parts) or 'nothing to do'}"


def _foreign(outcome: Outcome) -> list[OwnershipError]:
    return [failure.error for failure in outcome.failures if isinstance(failure.error, OwnershipError)]


def _document(environment: str, outcome: Outcome) -> str:
    changes = [
        {
            "action": change.action.name.lower(),
            "address": change.address,
            "fields": list(change.fields),
            "differences": [_difference(difference) for difference in change.differences],
            "note": change.note,
        }
        for change in outcome.changes
    ]
    failures = [
        {"address": failure.address, "error": failure.error.text, "remedy": failure.error.remedy}
        for failure in outcome.failures
    ]
    return json.dumps({"environment": environment, "changes": changes, "failures": failures}, indent=2)


def _difference(difference: Difference) -> dict[str, object]:
    if difference.hidden is not None:
        return {"field": difference.field, "hidden": difference.hidden}
    return {"field": difference.field, "before": difference.before, "after": difference.after}
