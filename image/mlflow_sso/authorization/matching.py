"""Finds a request's row in a table, by the decoded path, as the application itself routes."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from mlflow_sso.authorization.rules import Body, Route

VARIABLE = re.compile(r"<(?:(\w+):)?(\w+)>")
AREA = 5
"""Segments of an API's path by which rows are found; those with a variable among them are found by one less."""
DECODINGS = 5
"""How often a path is decoded to see whether it stays the same path; MLflow decodes what it stores once or twice."""


@dataclass(frozen=True, slots=True)
class Match:
    """A row, the method with which it is asked for, and what the path names."""

    route: Route
    variables: Mapping[str, str]
    method: str

    @property
    def body(self) -> Body:
        """What the request may carry; of a row with several methods, GET has its fields in the query."""
        return Body.NONE if self.method == "GET" and self.route.body is Body.JSON else self.route.body


class Table:
    """The routes of a release; raises ``ValueError`` if two rows have one method and path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes = tuple(routes)
        self._fixed: dict[tuple[str, str], Route] = {}
        self._patterns: dict[tuple[str, str], list[tuple[str, re.Pattern[str], Route]]] = {}
        rows = sorted(
            ((path, method, route) for route in self.routes for path in route.paths for method in route.methods),
            # As in werkzeug, a path with fewer variables comes first, and one that takes several segments last.
            key=lambda row: ("<path:" in row[0], row[0].count("<"), -len(row[0])),
        )
        seen: set[tuple[str, str]] = set()
        for path, method, route in rows:
            if (method, path) in seen:
                raise ValueError(f"two rows of the table are {method} {path}")
            seen.add((method, path))
            if "<" in path:
                area = next(area for area in (_area(path, AREA), _area(path, AREA - 1)) if "<" not in area)
                self._patterns.setdefault((method, area), []).append((path, _compiled(path), route))
            else:
                self._fixed[method, path] = route
        self.pairs = frozenset(seen)
        """Every method and path, for comparison with what an application serves."""

    def find(self, method: str, path: str) -> Match | None:
        """The row of ``method`` and decoded ``path``; None if it has none, or the path could be read as another."""
        if not is_canonical(path):
            return None
        method = "GET" if method == "HEAD" else method
        fixed = self._fixed.get((method, path))
        if fixed:
            return Match(fixed, {}, method)
        for area in (_area(path, AREA), _area(path, AREA - 1)):
            for _, pattern, route in self._patterns.get((method, area), ()):
                if found := pattern.fullmatch(path):
                    return Match(route, found.groupdict(), method)
        return None

    def knows(self, path: str) -> bool:
        """Whether a row of any method has ``path``."""
        return any(self.find(method, path) for method in {method for method, _ in self.pairs})


def _area(path: str, length: int) -> str:
    """The first segments of a path, so that few patterns are left to compare with."""
    segments = path.split("/")
    return "/".join(segments[:length] if segments[1] in ("api", "ajax-api") else segments[:2])


def _compiled(path: str) -> re.Pattern[str]:
    pattern, end = "", 0
    for found in VARIABLE.finditer(path):
        several = found[1] == "path"
        # As werkzeug's PathConverter has it: no slash first, so that // leads nowhere.
        pattern += f"{re.escape(path[end : found.start()])}(?P<{found[2]}>{'[^/].*?' if several else '[^/]+'})"
        end = found.end()
    return re.compile(pattern + re.escape(path[end:]), re.DOTALL)


def is_canonical(path: str) -> bool:
    """Whether every reader of ``path`` sees the same segments, however often he decodes it."""
    if not path.startswith("/"):
        return False
    seen, slashes = path, path.count("/")
    for _ in range(DECODINGS):
        # One slash at the end belongs to routes such as /oidc/ui/.
        segments = seen[1:].removesuffix("/").split("/") if seen != "/" else []
        if any(segment in ("", ".", "..") for segment in segments) or seen.count("/") != slashes:
            return False
        if "\\" in seen or any(ord(character) < 0x20 or ord(character) == 0x7F for character in seen):
            return False
        decoded = unquote(seen)
        if decoded == seen:
            return True
        seen = decoded
    return False


def has_encoded_separator(raw_path: bytes) -> bool:
    """Whether a path, as sent, hides a separator, which a proxy does not see and the application does."""
    sent = raw_path.lower()
    return any(hidden in sent for hidden in (b"%2f", b"%5c", b"%00"))
