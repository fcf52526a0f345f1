"""Sends requests that reach another's things by a way round, and ones about one's own that look odd, as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import secrets
import sys
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from application import Answer, Application, Request, basic
from world import MLFLOW, PROXY, THIRD, User, World, make_administrator

from mlflow_sso.releases import installed

SOURCE = {"source_type": "HUMAN", "source_id": "someone"}
IDEOGRAPHIC, JOINED = "\u5b9f\u9a13\u30001", "family \U0001f468\u200d\U0001f469 a\u00a0b"


def new_trace(experiment: str, trace: str, **assessment: str) -> Request:
    """With one assessment, if fields of it are given."""
    place = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}
    info: dict[str, Any] = {"trace_id": trace, "trace_location": place, "state": "OK"}
    info["request_time"] = "2026-01-01T00:00:00Z"
    if assessment:
        info["assessments"] = [_assessment(trace, **assessment)]
    return Request.of("POST", f"{THIRD}/traces", {"trace": {"trace_info": info}})


def _assessment(trace: str, **fields: str) -> dict[str, Any]:
    times = dict.fromkeys(("create_time", "last_update_time"), "2026-01-01T00:00:00Z")
    return {"trace_id": trace, "assessment_name": "a", "source": SOURCE, "feedback": {"value": True}, **times, **fields}


def assess(trace: str, **fields: str) -> Request:
    """One more assessment of a trace."""
    return Request.of("POST", f"{THIRD}/traces/{trace}/assessments", {"assessment": _assessment(trace, **fields)})


def ways_round(mine: Mapping[str, str], assessment: str) -> Iterator[Request]:
    """To an ``assessment`` of another's trace, and to folders of no trace."""
    for field in ("assessment_id", "overrides"):
        yield new_trace(mine["experiment"], f"tr-{secrets.token_hex(16)}", **{field: assessment})
        yield assess(mine["trace"], **{field: assessment})
    for name in ("../..?", "../../1", "1", "tr-1/../.."):
        yield new_trace(mine["experiment"], name)


def odd_paths(mine: Mapping[str, str]) -> Iterator[Request]:
    """That MLflow hands to the object store, whose error names the bucket."""
    for path in (".", "./.", "a/../..", "..%5C..%5C1", "a%5Cb"):
        yield Request.of("GET", f"{PROXY}?path={path}")
        yield Request.of("GET", f"/get-artifact?run_id={mine['run']}&path={path}")
        yield Request.of("GET", f"{MLFLOW}/artifacts/list?run_id={mine['run']}&path={path}")
        yield Request.of("GET", f"/model-versions/get-artifact?name={mine['model']}&version=1&path={path}")
        model = f"{MLFLOW}/logged-models/{mine['logged_model']}/artifacts/directories"
        yield Request.of("GET", f"{model}?artifact_directory_path={path}")


def own_names(application: Application, user: User) -> Iterator[tuple[str, Answer]]:
    """Each name in other scripts, made and then asked for."""

    def ask(request: Request) -> Answer:
        return application.ask(request, *user.credentials)

    for name in (IDEOGRAPHIC, JOINED):
        made = ask(Request.of("POST", f"{MLFLOW}/experiments/create", {"name": name}))
        yield f"make {name}", made
        yield f"find {name}", ask(Request.of("GET", f"{MLFLOW}/experiments/get-by-name?experiment_name={quote(name)}"))
        yield f"make {name}", ask(Request.of("POST", f"{MLFLOW}/registered-models/create", {"name": name}))
        yield f"find {name}", ask(Request.of("GET", f"{MLFLOW}/registered-models/get?name={quote(name)}"))
        yield f"end {name}", ask(Request.of("DELETE", f"{MLFLOW}/registered-models/delete", {"name": name}))
        about = {"experiment_id": made.json()["experiment_id"], "start_time": 1}
        run = ask(Request.of("POST", f"{MLFLOW}/runs/create", about)).json()["run"]["info"]["run_id"]
        file = f"{PROXY}/{about['experiment_id']}/{run}/artifacts/{quote(name)}.txt"
        yield f"put {name}", ask(Request(method="PUT", path=file, body=b"kept"))
        yield f"get {name}", ask(Request.of("GET", file))
        yield f"page {name}", ask(Request.of("GET", f"/get-artifact?run_id={run}&path={quote(name)}.txt"))


def directed_names() -> Iterator[Request]:
    """Names that look like others, or that readers cut off."""
    for name in ("abc\u202edef", "\u3000abc", "abc\u00a0", "a\u2028b", "\u200babc"):
        yield Request.of("GET", f"{MLFLOW}/experiments/get-by-name?experiment_name={quote(name)}")


def mcp_servers(application: Application, users: Mapping[str, User]) -> list[Any]:
    """What a member without a grant sees of them, and then with READ."""
    servers, name = f"{THIRD}/mcp-servers", "io.github/s1"
    make_administrator(users["carl"])
    made = application.ask(
        Request.of("POST", servers, {"name": name, "description": "secret of mcp"}), *users["carl"].credentials
    )
    assert made.status in (200, 201), made.text
    paths = (servers, f"{servers}/endpoints", f"{servers}/{name}", f"{servers}/{name}/versions")
    seen = [application.ask(Request.of("GET", path), *users["bert"].credentials) for path in paths]
    return [
        [answer.status, answer.text[:200]] for answer in seen if "secret of mcp" in answer.text or name in answer.text
    ]


def refused_of_ones_own(application: Application, user: User, mine: Mapping[str, str]) -> list[Any]:
    """What is not served of one's own assessments, traces and names."""
    own = application.ask(assess(mine["trace"]), *user.credentials).json()["assessment"]["assessment_id"]
    trace = new_trace(mine["experiment"], f"tr-{secrets.token_hex(16)}")
    useful = [
        ("an override", application.ask(assess(mine["trace"], overrides=own), *user.credentials)),
        ("a trace", application.ask(trace, *user.credentials)),
        *own_names(application, user),
    ]
    return [[name, answer.status, answer.text[:200]] for name, answer in useful if answer.status != 200]


def main() -> None:
    """As bert."""
    keys, application = json.loads(sys.argv[2]), Application()
    users = {name: User(name, (basic(name, keys[name]),)) for name in ("anna", "bert", "carl")}
    worlds = {name: World(application, users[name]) for name in ("anna", "bert")}
    mine, theirs, bert = worlds["bert"].names, worlds["anna"].names, users["bert"]
    made = application.ask(assess(theirs["trace"]), *users["anna"].credentials).json()["assessment"]
    served = [
        [request.path, request.body.decode()[-300:], answer.status, answer.text[:200]]
        for request in ways_round(mine, made["assessment_id"])
        for answer in [application.ask(request, *bert.credentials)]
        if answer.status != 403
    ]
    failed = [
        [request.path, answer.status, answer.text[:200]]
        for request in (*odd_paths(mine), *directed_names())
        for answer in [application.ask(request, *bert.credentials)]
        if not 400 <= answer.status < 500
    ]
    refused = refused_of_ones_own(application, bert, mine)
    folder = f"{PROXY}?path={mine['folder']}"
    lengths = [
        application.ask(Request.of(method, folder), *bert.credentials).headers.get("content-length")
        for method in ("HEAD", "GET")
    ]
    shown = mcp_servers(application, users) if installed().mlflow == "3.17.2" else []
    still = application.ask(
        Request.of("GET", f"{THIRD}/traces/{theirs['trace']}/assessments/{made['assessment_id']}"),
        *users["anna"].credentials,
    )
    print(
        json.dumps(
            {"served": served, "failed": failed, "refused": refused, "lengths": lengths, "shown": shown}
            | {"still": still.status}
        )
    )


if __name__ == "__main__":
    main()
