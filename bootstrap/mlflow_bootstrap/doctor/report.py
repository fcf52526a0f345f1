"""The lines of a run as a table or as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from mlflow_bootstrap.doctor.line import Line, State

_WIDTH = max(len(state) for state in State)


def text(environment: str, lines: Sequence[Line]) -> str:
    """A row for each line, what is wrong with its meaning and remedy below, and a count."""
    width = max((len(line.name) for line in lines), default=0)
    rows = [row for line in lines for row in _rows(line, width)]
    counts = [f"{count} {state}" for state in State if (count := sum(line.state is state for line in lines))]
    return "\n".join([*rows, f"{environment}: {', '.join(counts)}"])


def _rows(line: Line, width: int) -> list[str]:
    below = " " * (_WIDTH + 2)
    notes = [f"{below}{word}: {said}" for word, said in (("means", line.means), ("do", line.do)) if said]
    return [f"{line.state:<{_WIDTH}}  {line.name:<{width}}  {line.seen}", *notes]


def document(environment: str, lines: Sequence[Line]) -> str:
    """The same as one JSON object."""
    return json.dumps({"environment": environment, "lines": [asdict(line) for line in lines]}, indent=2)


def exit_code(lines: Sequence[Line]) -> int:
    """1 if anything is wrong or could not be looked at, else 0."""
    return int(any(line.state in (State.FAILED, State.UNKNOWN) for line in lines))
