"""Requests as no client sends them: the routes of a table about another's things, changed in up to three ways."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from mlflow_sso.authorization.rules import Access, Route

INSIDE = Path(__file__).with_name("inside")
# Its modules about tables of routes need nothing of MLflow's, so they are read here, too.
sys.path.append(str(INSIDE))

from application import Request  # noqa: E402, a module of the folder for the release's interpreter
from extras import rows_of  # noqa: E402
from matrix import cases  # noqa: E402

Draw = Callable[[st.SearchStrategy[Any]], Any]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get")
TYPES = (
    "text/plain", "", "application/json; charset=utf-16", "application/x-www-form-urlencoded", "application/protobuf",
    "multipart/form-data; boundary=x", "application/json, text/plain", "APPLICATION/JSON", "text/json",
)  # fmt: skip
ENCODINGS = ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32")
HEADERS = (
    ("x-http-method-override", "DELETE"), ("x-forwarded-prefix", "/api"), ("x-script-name", "/api"),
    ("x-original-url", "/health"), ("x-rewrite-url", "/health"), ("x-forwarded-user", "anna@example.com"),
    ("x-mlflow-workspace", "default"), ("content-encoding", "identity"), ("x-mlflow-authorization", "none"),
    ("x-remote-user", "anna@example.com"), ("forwarded", "host=localhost"),
)  # fmt: skip
IN_PATHS = (
    ("/", "//"), ("/", "/./"), ("/", "/x/../"), ("/", "%2F"), ("/", "%2f"), ("/", "/%2e/"), ("/", "/x/%2e%2e/"),
    ("/", "%5C"), ("/", "\\"), ("/", "/;a=b/"), ("/", "%252F"), ("e", "%65"), ("r", "%72"), ("m", "M"), ("/", "/%00"),
    ("-", "%2D"), ("2.0", "2%2E0"), ("2.0", "3.0"), ("3.0", "2.0"), ("/api/", "/ajax-api/"), ("/ajax-api/", "/api/"),
    ("1", "\u0661"), ("a", "%c0%a1"), ("mlflow/", "mlflow"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Worlds:
    """Names of another's things and of one's own; of four names of a request, ``owned`` are one's own."""

    victim: Mapping[str, str]
    own: Mapping[str, str]
    owned: int = 1

    @classmethod
    def of(cls, worlds: Mapping[str, Mapping[str, str]], *, owned: int = 1) -> "Worlds":
        """As they were built, without what only their owners may know."""
        victim, own = (
            {name: value for name, value in worlds[owner].items() if name != "secret"} for owner in ("anna", "bert")
        )
        return cls(victim=victim, own=own, owned=owned)


def generate(release: str, worlds: Worlds, *, count: int, seeded: int) -> list[Request]:
    """``count`` requests, the same for the same seed and worlds."""
    rows = [row for row in rows_of(release) if row.rule.access not in (Access.REFUSED, Access.OPEN)]
    # GraphQL asks for as much as many routes do.
    rows += [row for row in rows if row.paths == ("/graphql",)] * (len(rows) // 20)
    found: list[Request] = []

    @seed(seeded)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def draw_one(data: st.DataObject) -> None:
        found.append(_mutated(data.draw, rows, worlds))

    draw_one()
    return found[:count]


def _mutated(draw: Draw, rows: Sequence[Route], worlds: Worlds) -> Request:
    row = draw(st.sampled_from(rows))
    names = {
        # Another's and one's own within one request.
        name: draw(st.sampled_from((value,) * (4 - worlds.owned) + (worlds.own.get(name, value),) * worlds.owned))
        for name, value in worlds.victim.items()
    }
    names["other"] = worlds.own["experiment"]
    path, method = draw(st.sampled_from(row.paths)), draw(st.sampled_from(sorted(row.methods)))
    single = replace(row, paths=(path,), methods=frozenset({method}))
    request = draw(st.sampled_from([case.request for case in cases(single, names, {}, every_path=False)]))
    for change in draw(st.lists(st.sampled_from(CHANGES), max_size=3)):
        request = change(draw, request, worlds)
    return request


def _path(draw: Draw, request: Request, worlds: Worlds) -> Request:
    old, new = draw(st.sampled_from(IN_PATHS))
    places = [place for place in range(len(request.path)) if request.path.startswith(old, place)]
    if not places:
        return replace(request, path=request.path + draw(st.sampled_from(("/", "/.", "?", "#", "%20", ".json"))))
    place = draw(st.sampled_from(places))
    return replace(request, path=request.path[:place] + new + request.path[place + len(old) :])


def _method(draw: Draw, request: Request, worlds: Worlds) -> Request:
    return replace(request, method=draw(st.sampled_from(METHODS)))


def _type(draw: Draw, request: Request, worlds: Worlds) -> Request:
    others = [(name, value) for name, value in request.headers if name != "content-type"]
    given_types = draw(st.lists(st.sampled_from((*TYPES, "application/json")), max_size=2))
    return replace(request, headers=[*others, *(("content-type", name) for name in given_types if name)])


def _header(draw: Draw, request: Request, worlds: Worlds) -> Request:
    return replace(request, headers=[*request.headers, draw(st.sampled_from(HEADERS))])


def _encoding(draw: Draw, request: Request, worlds: Worlds) -> Request:
    return replace(request, body=request.body.decode("latin-1").encode(draw(st.sampled_from(ENCODINGS))))


def _query(draw: Draw, request: Request, worlds: Worlds) -> Request:
    mark = "&" if "?" in request.path else "?"
    return replace(request, path=f"{request.path}{mark}{_field(draw)}={_value(draw, worlds)}")


def _body(draw: Draw, request: Request, worlds: Worlds) -> Request:
    """One more pair, before or after the existing ones, perhaps with an existing key."""
    pair = f"{json.dumps(_field(draw))}: {json.dumps(_value(draw, worlds))}"
    text = request.body.decode("latin-1").strip() or "{}"
    if not text.startswith("{") or not text.endswith("}"):
        return replace(request, body=("{" + pair + "}").encode())
    inner = text[1:-1].strip()
    pairs = [part for part in (inner, pair) if part]
    return replace(request, body=("{" + ", ".join(draw(st.permutations(pairs))) + "}").encode())


def _wrapped(draw: Draw, request: Request, worlds: Worlds) -> Request:
    text = request.body.decode("latin-1")
    forms = (json.dumps(text), f"[{text}]", f"{text} ", f"{text}{text}", f"\ufeff{text}", text.replace('"', "'"))
    return replace(request, body=draw(st.sampled_from(forms)).encode())


def _form(draw: Draw, request: Request, worlds: Worlds) -> Request:
    pairs = f"{_field(draw)}={_value(draw, worlds)}"
    return replace(request, body=pairs.encode(), headers=[("content-type", "application/x-www-form-urlencoded")])


def _field(draw: Draw) -> str:
    return str(
        draw(
            st.sampled_from(
                (
                    "experiment_id", "experimentId", "experiment_ids", "experimentIds", "run_id", "runId", "run_uuid",
                    "runUuid", "run_ids", "name", "Name", "model_id", "modelId", "trace_id", "traceId", "request_id",
                    "requestId", "path", "artifact_path", "key", "value", "filter", "user_id", "RUN_ID", "run-id",
                    "dataset_id", "artifact_location", "source", "_method", "experiment_name", "username", "job_id",
                )
            )
        )
    )  # fmt: skip


def _value(draw: Draw, worlds: Worlds) -> str:
    return str(draw(st.sampled_from([*worlds.victim.values(), *worlds.own.values(), "", "0", "*", "None"])))


# Some twice: paths, queries and bodies can be read in the most ways.
CHANGES = (_path, _path, _method, _type, _header, _encoding, _query, _query, _body, _body, _wrapped, _form)
