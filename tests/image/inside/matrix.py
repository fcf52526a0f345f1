"""Requests created from a table of routes, and whether their answers are what the table promises."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from application import Request
from otlp import CONTENT_TYPE, root_span

from mlflow_sso.authorization.rules import Access, Body, Field, Form, Kind, Level, Need, Route, Where

NAMES = {
    Kind.EXPERIMENT: "experiment",
    Kind.EXPERIMENT_NAME: "experiment_name",
    Kind.RUN: "run",
    Kind.LOGGED_MODEL: "logged_model",
    Kind.TRACE: "trace",
    Kind.REGISTERED_MODEL: "model",
    Kind.DATASET: "dataset",
    Kind.ARTIFACT: "artifact",
    Kind.SCORER: "scorer",
    Kind.ISSUE: "issue",
    Kind.LABEL_SCHEMA: "label_schema",
    Kind.REVIEW_QUEUE: "review_queue",
}
"""Name of a world's thing by its kind."""

BY_NAME = frozenset({"model", "endpoint_name", "gateway_path", "name"})
"""Fields that hold the name of a thing of the AI gateway; all others hold its id."""

VARIABLES = {
    "username": "bert@example.com",
    "group_name": "mlflow-users",
    "filename": "index.html",
    "path": "index.html",
    "assessment_id": "a-1",
    "version": "1",
    "alias": "first",
    "key": "colour",
    "tag_key": "colour",
    "id": "1",
    "scorer_name": "none",
}
"""Segments of paths that name nothing of a world's."""

DOCUMENTS = (
    '{mlflowGetExperiment(input:{experimentId:"%(experiment)s"}){experiment{name tags{value}}}}',
    '{mlflowGetRun(input:{runId:"%(run)s"}){run{data{params{value}} experiment{name} modelVersions{description}}}}',
    '{mlflowListArtifacts(input:{runId:"%(run)s"}){files{path}}}',
    '{mlflowGetMetricHistoryBulkInterval(input:{runIds:["%(run)s"],metricKey:"a"}){metrics{value}}}',
    '{mlflowSearchRuns(input:{experimentIds:["%(other)s","%(experiment)s"]}){runs{data{params{value}}}}}',
    'mutation{mlflowSearchRuns(input:{experimentIds:["%(other)s","%(experiment)s"]}){runs{data{params{value}}}}}',
    'mutation{mlflowSearchDatasets(input:{experimentIds:["%(other)s","%(experiment)s"]}){datasetSummaries{name}}}',
)
"""Every field of GraphQL that shows something; ``other`` is an experiment that the caller may read, if there is one."""

VARIABLE = re.compile(r"<(?:(\w+):)?(\w+)>")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A request of one row under one of its paths."""

    route: Route
    path: str
    request: Request
    inside: Level = Level.NONE
    """What it takes of things that the body names in a language of its own."""

    @property
    def name(self) -> str:
        return f"{self.request.method} {self.path}"

    @property
    def level(self) -> Level:
        """What it takes of the world's things."""
        levels = [need.level for need in self.route.rule.needs if need.kind in NAMES]
        return max(levels, default=self.inside)

    @property
    def about_the_world(self) -> bool:
        """Whether all that the row names is in a world."""
        return all(need.kind in NAMES for need in self.route.rule.needs)

    @property
    def about(self) -> str:
        """Method and path without prefix and version."""
        return f"{self.request.method} {unversioned(self.path)}"

    def serves(self, *, level: Level | None, administrator: bool) -> bool:
        """Whether the table serves a caller with ``level``; None stands for one without a login."""
        match self.route.rule.access:
            case Access.REFUSED:
                return False
            case Access.OPEN:
                return True
            case Access.ADMINISTRATOR:
                return administrator
        return administrator or (level is not None and level >= self.level)


def cases(
    route: Route, names: Mapping[str, str], extras: Mapping[str, Mapping[str, Any]], *, every_path: bool
) -> Iterator[Case]:
    """The requests of a row about the things called ``names``; ``extras`` by path are what they need beside them."""
    if any(value.form is Form.GRAPHQL for value in route.rule.values):
        for document in DOCUMENTS:
            request = Request.of("POST", route.paths[0], {"query": document % ({"other": names["experiment"]} | names)})
            yield Case(route=route, path=route.paths[0], request=request, inside=Level.READ)
        return
    for path in route.paths if every_path else route.paths[:1]:
        for method in sorted(route.methods):
            yield Case(route=route, path=path, request=_request(route, method, path, names, extras))


def _request(
    route: Route, method: str, path: str, names: Mapping[str, str], extras: Mapping[str, Mapping[str, Any]]
) -> Request:
    # Of such a row exactly one may be named.
    needs = route.rule.needs[:1] if route.rule.any_of else route.rule.needs
    named = {need.field: _named(need, names) for need in needs if not need.optional or need.kind in NAMES}
    where = {field: _place(field, method) for field in named}
    in_path = {field.path: value for field, value in named.items() if where[field] is Where.PATH}
    filled = VARIABLE.sub(lambda found: _segment(in_path.get(found[2], VARIABLES.get(found[2], "none"))), path)
    query = {field.path.removesuffix("[]"): value for field, value in named.items() if where[field] is Where.QUERY}
    paths = [value.field for value in route.rule.values if value.form is Form.RELATIVE_PATH]
    # What names an object goes before a path that only has to have a form.
    query = {field.path: "notes.txt" for field in paths if _place(field, method) is Where.QUERY} | query
    extra = dict(extras.get(f"{method} {unversioned(path)}", {}))
    if method == "GET":
        query |= {name: str(value) for name, value in extra.items()}
    body = b""
    if query:
        filled += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
    headers = [(field.path, value) for field, value in named.items() if where[field] is Where.HEADER]
    if route.body is Body.JSON and method != "GET":
        content = extra
        for field, value in named.items():
            if where[field] is Where.BODY:
                _put(content, field.path, value)
        return Request(
            method=method,
            path=filled,
            headers=Request.of(method, filled, {}).headers,
            body=Request.of(method, filled, content).body,
        )
    if route.body is Body.FILE:
        body = b"a file"
    if route.body is Body.OTLP:
        body, headers = root_span(names["trace"]), [*headers, CONTENT_TYPE]
    return Request(method=method, path=filled, headers=headers, body=body)


def _place(field: Field, method: str) -> Where:
    if field.where is Where.REQUEST:
        return Where.QUERY if method == "GET" else Where.BODY
    return field.where


def _named(need: Need, names: Mapping[str, str]) -> str:
    name = NAMES.get(need.kind, "")
    by_name = name.startswith("gateway_") and need.field.path in BY_NAME
    return names.get(f"{name}_name" if by_name else name, "none")


def _segment(value: str) -> str:
    return quote(value, safe="/@:")


def unversioned(path: str) -> str:
    return re.sub(r"^/(?:ajax-)?api/\d\.\d", "", path)


def _put(body: dict[str, Any], path: str, value: str) -> None:
    step, _, rest = path.partition(".")
    name = step.removesuffix("[]")
    if not rest:
        body[name] = [value] if step.endswith("[]") else value
        return
    if step.endswith("[]"):
        items = body.setdefault(name, [{}])
        for item in items:
            _put(item, rest, value)
    else:
        _put(body.setdefault(name, {}), rest, value)
