"""Reads what a request names, and refuses one that two readers could understand in two ways.

MLflow, its protobuf parser and the plugin look for the same thing in the path, the query and the body, in orders of
their own, under several spellings (``run_uuid``; ``runId`` by protobuf's JSON mapping), and with content types that
they check for some methods only. Clients and pages say each thing once, in one place.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isinf
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from mlflow_sso.authorization.errors import RefusedError
from mlflow_sso.authorization.matching import Match
from mlflow_sso.authorization.rules import Body, Field, Where

Headers = Iterable[tuple[bytes, bytes]]

NO_NUL = "text with a NUL character is not served: PostgreSQL stores none"


@dataclass(frozen=True, slots=True)
class Request:
    """The three places in which a request names things."""

    path: Mapping[str, str]
    query: Mapping[str, Sequence[str]]
    body: Mapping[str, Any]
    query_is_body: bool
    """Whether the query is where this route's fields stand: for GET."""
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def values(self, field: Field) -> list[str]:
        """What ``field`` names; empty if it is absent. Raises ``RefusedError`` if places or spellings differ."""
        where = field.where
        if where is Where.REQUEST:
            where = Where.QUERY if self.query_is_body else Where.BODY
        self._refuse_other_spellings(field, where)
        found = [value for path in field.spellings for value in [self._at(where, path)] if value]
        if any(value != found[0] for value in found):
            raise RefusedError(f"this request says twice, and differently, which {field.path} it is about")
        named = found[0] if found else []
        self._refuse_elsewhere(field, where, named)
        return named

    def named(self, name: str) -> Iterator[str]:
        """Every text that any place calls ``name``, in any spelling and number, also among the parameters of a job."""
        inner = self.body.get("params")
        places: list[Mapping[str, Any]] = [self.path, self.query, self.body, inner if isinstance(inner, dict) else {}]
        for place in places:
            for key, value in place.items():
                if normal(key).removesuffix("s") == normal(name):
                    listed = value if isinstance(value, list) else [value]
                    yield from (one for one in listed if isinstance(one, str) and one)

    def raw(self, path: str) -> list[Any]:
        """Everything at ``path`` of the body, of any type; empty if it is absent."""
        return [value for value in descend(self.body, path) if value is not None]

    def _at(self, where: Where, path: str) -> list[str]:
        if where is Where.PATH:
            return [self.path[path]] if path in self.path else []
        if where in (Where.QUERY, Where.HEADER):
            several = path.endswith("[]")
            given = self.query if where is Where.QUERY else self.headers
            values = given.get(path.removesuffix("[]"), ())
            if len(values) > 1 and not several:
                raise RefusedError(f"this request says more than once which {path} it is about")
            return [text(value, path) for value in values if value or several]
        found = descend(self.body, path)
        return [text(value, path) for value in found if path.endswith("[]") or value not in (None, "")]

    def _refuse_other_spellings(self, field: Field, where: Where) -> None:
        accepted = {leading(path) for path in field.spellings}
        plain = {normal(name) for name in accepted}
        for place, keys in ((Where.QUERY, self.query), (Where.BODY, self.body)):
            for key in keys:
                if normal(key) in plain and key not in accepted:
                    raise RefusedError(f"this request spells {min(accepted)} in a way that is not served: {key[:60]!r}")
                if key in accepted and place is not where and "[]" in field.path:
                    raise RefusedError(f"this request says {key} beside the {where}")

    def _refuse_elsewhere(self, field: Field, where: Where, named: list[str]) -> None:
        simple = [path for path in field.spellings if "." not in path and "[]" not in path]
        for place in (Where.PATH, Where.QUERY, Where.BODY):
            for path in simple if place is not where else ():
                there = self._at(place, path)
                if there and there != named:
                    raise RefusedError(f"this request says {path} in the {place} and not the same in the {where}")


def read(match: Match, *, query: bytes, headers: Headers, body: bytes, identities: frozenset[str]) -> Request:
    """Parse a request; raises ``RefusedError``.

    ``identities`` are the names under which any route's objects are named: none may stand in the query of a request
    whose fields are in the body, unless its own row says so.
    """
    route = match.route
    if match.body is Body.NONE and body:
        raise RefusedError("a request of this kind has no body, and this one has", status=400, error_code="BAD_REQUEST")
    parsed = read_json(body, headers) if match.body is Body.JSON and body else {}
    request = Request(match.variables, read_query(query), parsed, match.method == "GET", read_headers(headers))
    if not request.query_is_body:
        rule = route.rule
        declared = {
            leading(path)
            for field in (*(need.field for need in rule.needs), *(value.field for value in rule.values))
            for path in field.spellings
        }
        for key in request.query:
            if normal(key) in identities and key not in declared:
                raise RefusedError(
                    f"this request says {key[:60]!r} in the query, where it is not read; say it in the body"
                )
    return request


def read_query(query: bytes) -> dict[str, list[str]]:
    """Names and values of a query; raises ``RefusedError`` unless it is UTF-8."""
    found: dict[str, list[str]] = {}
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        raise RefusedError("the query is not UTF-8", status=400, error_code="BAD_REQUEST") from None
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise RefusedError(NO_NUL, status=400, error_code="INVALID_PARAMETER_VALUE")
        found.setdefault(name, []).append(value)
    return found


def read_headers(headers: Headers) -> dict[str, list[str]]:
    """Values by name in small letters."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def read_json(body: bytes, headers: Headers) -> dict[str, Any]:
    """The one JSON object of a body; raises ``RefusedError`` for every other body."""
    types = [value.decode("latin-1") for name, value in headers if name == b"content-type"]
    if len(types) != 1 or not re.fullmatch(r'application/json(\s*;\s*charset="?utf-8"?)?\s*', types[0], re.IGNORECASE):
        raise RefusedError(
            "a body is served here as application/json in UTF-8 only", error_code="INVALID_PARAMETER_VALUE"
        )
    if any(name == b"content-encoding" and value.strip().lower() != b"identity" for name, value in headers):
        raise RefusedError("a compressed body is not served here", error_code="INVALID_PARAMETER_VALUE")
    try:
        # Readers differ in which of two equal keys they take; json.loads takes the last and says nothing.
        parsed = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_finite
        )
    except (ValueError, RecursionError):
        raise RefusedError("the body is not JSON in UTF-8", status=400, error_code="BAD_REQUEST") from None
    if not isinstance(parsed, dict):
        raise RefusedError("the body is not a JSON object", error_code="INVALID_PARAMETER_VALUE")
    # Looked for in the bytes first, which is quick; they hold it also where a backslash is escaped.
    if b"\\u0000" in body and _has_nul(parsed):
        raise RefusedError(NO_NUL, status=400, error_code="INVALID_PARAMETER_VALUE")
    return parsed


def _has_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(_has_nul(inner) for pair in value.items() for inner in pair)
    return isinstance(value, list) and any(map(_has_nul, value))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RefusedError("the body has a key twice", error_code="INVALID_PARAMETER_VALUE")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise RefusedError(f"the body has {name}, which is no JSON", error_code="INVALID_PARAMETER_VALUE")


def _finite(number: str) -> float:
    """``number``, which Python reads as infinite if it is too large, and MLflow cannot convert then."""
    value = float(number)
    if isinf(value):
        raise RefusedError("the body has a number that is too large", status=400, error_code="INVALID_PARAMETER_VALUE")
    return value


def descend(value: Any, path: str) -> Iterator[Any]:
    """Everything at ``path``: keys joined by dots, ``[]`` for each item of a list."""
    step, _, rest = path.partition(".")
    name = step.removesuffix("[]")
    if not isinstance(value, Mapping):
        raise RefusedError(f"{name} is expected in an object", status=400, error_code="INVALID_PARAMETER_VALUE")
    _refuse_similar(value, name)
    inner = value.get(name)
    if inner is None:
        return
    if step.endswith("[]") and not isinstance(inner, list):
        raise RefusedError(f"{name} is not a list", status=400, error_code="INVALID_PARAMETER_VALUE")
    for item in inner if step.endswith("[]") else [inner]:
        if rest:
            yield from descend(item, rest)
        else:
            yield item


def _refuse_similar(value: Mapping[str, Any], name: str) -> None:
    for key in value:
        if key != name and normal(key) == normal(name):
            raise RefusedError(f"this request spells {name} in a way that is not served: {key[:60]!r}")


def text(value: Any, path: str) -> str:
    """``value``, which names something; raises ``RefusedError`` unless it is plain text."""
    if not isinstance(value, str) or not value or not _is_plain(value):
        raise RefusedError(f"{path} is not plain text", status=400, error_code="INVALID_PARAMETER_VALUE")
    return value


def _is_plain(value: str) -> bool:
    """Whether no letter of ``value`` controls a terminal, a line or the direction of writing.

    Spaces of other scripts and joiners within emoji are letters of names, save at the ends, where readers cut them off.
    """
    if value.isprintable():
        return True
    ends = {unicodedata.category(letter) for letter in (value[0], value[-1]) if letter != " "}
    inner = {unicodedata.category(letter) for letter in value}
    return not ends & {"Zs", "Cf"} and not inner & _CONTROLS and not _DIRECTIONS.intersection(value)


_CONTROLS = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
"""General categories of Unicode that no name has."""
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What changes the direction of writing (Unicode Standard Annex 9), so that a name looks like another."""


def leading(path: str) -> str:
    """The outermost name of a field's path."""
    return path.partition(".")[0].removesuffix("[]")


def normal(name: str) -> str:
    """How readers of any kind could understand ``name``: ``runId`` and ``RUN-ID`` are ``runid``, as is ``run_id``."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
