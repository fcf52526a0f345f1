"""Requests as no client sends them: the routes of a table about another's things, changed in up to three ways.

Drawn by a plain generator: Hypothesis takes 40 times as long, and what it has beside, shrinking, has no use here.
"""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from mlflow_sso.authorization.rules import Access, Route

INSIDE = Path(__file__).with_name("inside")
# Its modules about tables of routes need nothing of MLflow's, so they are read here, too.
sys.path.append(str(INSIDE))

from application import Request  # noqa: E402, a module of the folder for the release's interpreter
from extras import rows_of  # noqa: E402
from matrix import cases  # noqa: E402

Change = Callable[[Random, Request, "Worlds"], Request]

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

FIELDS = (
    "experiment_id", "experimentId", "experiment_ids", "experimentIds", "run_id", "runId", "run_uuid",
    "runUuid", "run_ids", "name", "Name", "model_id", "modelId", "trace_id", "traceId", "request_id",
    "requestId", "path", "artifact_path", "key", "value", "filter", "user_id", "RUN_ID", "run-id",
    "dataset_id", "artifact_location", "source", "_method", "experiment_name", "username", "job_id",
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
    # Those of administrators are refused whatever they name.
    rows += [row for row in rows if row.rule.access is Access.MEMBER] * 2
    # GraphQL asks for as much as many routes do.
    rows += [row for row in rows if row.paths == ("/graphql",)] * (len(rows) // 60)
    random, found = Random(seeded), dict[str, Request]()
    while len(found) < count:
        request = _mutated(random, rows, worlds)
        # The same one twice would be one less.
        found[repr(request)] = request
    # What deletes comes last, or the rest would be about things that are gone.
    return sorted(found.values(), key=_deletes)


def _deletes(request: Request) -> bool:
    return request.method == "DELETE" or "delete" in request.path


def _mutated(random: Random, rows: Sequence[Route], worlds: Worlds) -> Request:
    row = random.choice(rows)
    names = {
        # Another's and one's own within one request.
        name: worlds.own.get(name, value) if random.randrange(4) < worlds.owned else value
        for name, value in worlds.victim.items()
    }
    names["other"] = worlds.own["experiment"]
    path, method = random.choice(row.paths), random.choice(sorted(row.methods))
    single = replace(row, paths=(path,), methods=frozenset({method}))
    request = random.choice([case.request for case in cases(single, names, {}, every_path=False)])
    for change in random.choices(CHANGES, k=random.choice(NUMBERS)):
        request = change(random, request, worlds)
    return request


def _path(random: Random, request: Request, worlds: Worlds) -> Request:
    old, new = random.choice(IN_PATHS)
    places = [place for place in range(len(request.path)) if request.path.startswith(old, place)]
    if not places:
        return replace(request, path=request.path + random.choice(("/", "/.", "?", "#", "%20", ".json")))
    place = random.choice(places)
    return replace(request, path=request.path[:place] + new + request.path[place + len(old) :])


def _method(random: Random, request: Request, worlds: Worlds) -> Request:
    return replace(request, method=random.choice(METHODS))


def _type(random: Random, request: Request, worlds: Worlds) -> Request:
    others = [(name, value) for name, value in request.headers if name != "content-type"]
    given_types = random.choices((*TYPES, "application/json"), k=random.randrange(3))
    return replace(request, headers=[*others, *(("content-type", name) for name in given_types if name)])


def _header(random: Random, request: Request, worlds: Worlds) -> Request:
    return replace(request, headers=[*request.headers, random.choice(HEADERS)])


def _encoding(random: Random, request: Request, worlds: Worlds) -> Request:
    return replace(request, body=request.body.decode("latin-1").encode(random.choice(ENCODINGS)))


def _query(random: Random, request: Request, worlds: Worlds) -> Request:
    mark = "&" if "?" in request.path else "?"
    return replace(request, path=f"{request.path}{mark}{_field(random)}={_value(random, worlds)}")


def _body(random: Random, request: Request, worlds: Worlds) -> Request:
    """One more pair, before or after the existing ones, perhaps with an existing key."""
    pair = f"{json.dumps(_field(random))}: {json.dumps(_value(random, worlds))}"
    text = request.body.decode("latin-1").strip() or "{}"
    if not text.startswith("{") or not text.endswith("}"):
        return replace(request, body=("{" + pair + "}").encode())
    inner = text[1:-1].strip()
    pairs = [part for part in (inner, pair) if part]
    return replace(request, body=("{" + ", ".join(random.sample(pairs, len(pairs))) + "}").encode())


def _wrapped(random: Random, request: Request, worlds: Worlds) -> Request:
    text = request.body.decode("latin-1")
    forms = (json.dumps(text), f"[{text}]", f"{text} ", f"{text}{text}", f"\ufeff{text}", text.replace('"', "'"))
    return replace(request, body=random.choice(forms).encode())


def _form(random: Random, request: Request, worlds: Worlds) -> Request:
    pairs = f"{_field(random)}={_value(random, worlds)}"
    return replace(request, body=pairs.encode(), headers=[("content-type", "application/x-www-form-urlencoded")])


def _field(random: Random) -> str:
    return random.choice(FIELDS)


def _value(random: Random, worlds: Worlds) -> str:
    return random.choice([*worlds.victim.values(), *worlds.own.values(), "", "0", "*", "None"])


NUMBERS = (0, 0, 1, 2, 3, 3)
"""How many changes a request gets: one in three none, and one in three as many as possible."""

# Some twice: paths, queries and bodies can be read in the most ways.
CHANGES: Sequence[Change] = (
    _path,
    _path,
    _method,
    _type,
    _header,
    _encoding,
    _query,
    _query,
    _body,
    _body,
    _wrapped,
    _form,
)
