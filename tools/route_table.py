"""Writes the tables of docs/security.md from the tables of routes: ``make route-table``; ``--check`` only compares."""

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from mlflow_sso.authorization.graphql import FIELDS
from mlflow_sso.authorization.release_3_6_0 import TABLE
from mlflow_sso.authorization.release_3_17_2.table import routes
from mlflow_sso.authorization.rules import Access, Route, Rule

GUIDE = Path(__file__).parents[1] / "docs" / "security.md"
BEGIN, END = "<!-- routes of {}: written by make route-table -->", "<!-- end of routes of {} -->"
RELEASES = {"3.17.2": routes(ai_gateway=True), "3.6.0": TABLE.routes}
WHOLE = {Access.OPEN: "every client, without a login", Access.ADMINISTRATOR: "administrators"}


def rendered(rows: Iterable[Route]) -> str:
    """A table with a row for each thing that it takes."""
    asked: dict[str, dict[str, None]] = {}
    # A route that the release does not have is nothing that a reader of the guide could ask for.
    for row in (row for row in rows if not row.rule.is_absent):
        names = asked.setdefault(takes(row.rule), {})
        names |= dict.fromkeys(f"`{' '.join(sorted(row.methods))} {short(path)}`" for path in row.paths)
    for field, rule in FIELDS.items():
        asked.setdefault(takes(rule), {})[f"`GraphQL {field.split()[1]}`"] = None
    order = sorted(asked, key=lambda text: (text.startswith("no user"), text))
    lines = [f"| {text} | {', '.join(sorted(asked[text]))} |" for text in order]
    return "\n".join(["| it takes | to ask for |", "|---|---|", *lines])


def takes(rule: Rule) -> str:
    """What a rule asks of the caller, in words."""
    if rule.access is Access.REFUSED:
        return f"no user: {rule.because}"
    if rule.access in WHOLE:
        return WHOLE[rule.access]
    needs = list(dict.fromkeys(f"{need.level.name} of the {need.kind.value}" for need in rule.needs))
    text = (" or " if rule.any_of else " and ").join(needs) or "a login"
    shown = sorted(f"each {kind.value}" for kind in rule.lists)
    return f"{text}; shows {' and '.join(shown)} with READ only" if shown else text


def short(path: str) -> str:
    """A path without what the families have in common."""
    return re.sub(r"^/(?:ajax-)?api/\d\.\d/?mlflow/|^/(?:ajax-)?api/\d\.\d/", "", path)


def renewed(text: str) -> str:
    """The guide with tables as they are now."""
    for release, rows in RELEASES.items():
        begin, end = BEGIN.format(release), END.format(release)
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n\n{rendered(rows)}\n\n{end}{after}"
    return text


def main() -> int:
    """1 if ``--check`` finds a difference."""
    text = GUIDE.read_text()
    current = renewed(text)
    if "--check" in sys.argv[1:]:
        if current != text:
            print("error: docs/security.md is older than the tables of routes; run: make route-table", file=sys.stderr)
        # The exit code is what tests and CI read.
        return int(current != text)
    GUIDE.write_text(current)
    return 0


if __name__ == "__main__":
    sys.exit(main())
