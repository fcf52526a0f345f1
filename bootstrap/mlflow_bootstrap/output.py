"""What a run prints: lines as they come, or one JSON document at its end."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from mlflow_bootstrap.engine import Action, Change, Failure, Outcome


class Format(StrEnum):
    """Forms of output."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Output:
    """Prints to standard output, and failures of the text form to standard error."""

    form: Format

    def report(self, item: Change | Failure) -> None:
        """Print one line: a failure to standard error, a change in the text form alone."""
        if isinstance(item, Failure):
            print(f"error: {item.address}: {item.error}", file=sys.stderr, flush=True)
        elif self.form is Format.TEXT:
            print(item, flush=True)

    def note(self, line: str) -> None:
        """Say something beside the result."""
        print(f"note: {line}", file=sys.stderr, flush=True)

    def finish(self, environment: str, outcome: Outcome) -> None:
        """Print the summary, or the document."""
        print(_document(environment, outcome) if self.form is Format.JSON else _summary(environment, outcome))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Show what is under way on a terminal; elsewhere the lines of the resources are progress enough."""
        if not sys.stderr.isatty():
            yield
            return
        from rich.console import Console

        with Console(stderr=True).status(title):
            yield


_WORDS = {
    Action.CREATE: "to make or made",
    Action.UPDATE: "to change or changed",
    Action.DELETE: "taken away",
    Action.KEEP: "right",
}


def _summary(environment: str, outcome: Outcome) -> str:
    counts = {action: sum(change.action is action for change in outcome.changes) for action in Action}
    parts = [f"{count} {_WORDS[action]}" for action, count in counts.items() if count]
    parts += [f"{len(outcome.failures)} failed"] if outcome.failures else []
    return f"{environment}: {', '.join(parts) or 'nothing to do'}"


def _document(environment: str, outcome: Outcome) -> str:
    changes = [
        {"action": change.action.name.lower(), "address": change.address, "fields": list(change.fields)}
        for change in outcome.changes
    ]
    failures = [
        {"address": failure.address, "error": failure.error.text, "remedy": failure.error.remedy}
        for failure in outcome.failures
    ]
    return json.dumps({"environment": environment, "changes": changes, "failures": failures}, indent=2)
