"""A place of a user's own: an experiment with a run, artifacts, models, a prompt and a trace, a secret in each."""

import secrets
from collections.abc import Mapping
from typing import Any

import httpx
from row import MLFLOW, PROXY, TRACES

PROMPT_TAGS = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]


def make_place(owner: httpx.Client) -> dict[str, str]:
    """Make one as ``owner``; its ids, paths and secret by name."""
    secret = f"secret{secrets.token_hex(6)}"
    experiment = _post(owner, f"{MLFLOW}/experiments/create", name=secret)["experiment_id"]
    place = {
        "secret": secret,
        "experiment": experiment,
        "run": _run(owner, experiment, secret),
        "model": f"{secret}-model",
        "prompt": f"{secret}-prompt",
        "trace": _trace(owner, experiment, secret),
        "new_trace": f"tr-{secrets.token_hex(16)}",
        "logged_model": _logged_model(owner, experiment, secret),
    }
    place["folder"] = f"{experiment}/{place['run']}/artifacts"
    # Two files, since both proxies have a row that deletes one.
    place |= {"file": f"{place['folder']}/{secret}.txt", "spare": f"{place['folder']}/spare.txt"}
    for path in (place["file"], place["spare"], f"{experiment}/models/{place['logged_model']}/artifacts/{secret}.txt"):
        owner.put(f"{PROXY}/artifacts/{path}", content=secret.encode()).raise_for_status()
    _registered(owner, place["model"], secret, source=f"mlflow-artifacts:/{place['folder']}", run_id=place["run"])
    text = [*PROMPT_TAGS, {"key": "mlflow.prompt.text", "value": secret}]
    _registered(owner, place["prompt"], secret, tags=PROMPT_TAGS, source="prompt-template", version_tags=text)
    return place


def _post(owner: httpx.Client, path: str, **body: Any) -> Mapping[str, Any]:
    answer = owner.post(path, json=body)
    assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
    content: Mapping[str, Any] = answer.json()
    return content


def _run(owner: httpx.Client, experiment: str, secret: str) -> str:
    info = _post(owner, f"{MLFLOW}/runs/create", experiment_id=experiment, start_time=1)["run"]["info"]
    run = str(info["run_id"])
    # A name is a secret here, too: who is shown it was served.
    metric = {"key": secret, "value": 1, "timestamp": 1, "step": 1}
    parameter = {"key": "password", "value": secret}
    _post(owner, f"{MLFLOW}/runs/log-batch", run_id=run, metrics=[metric], params=[parameter])
    dataset = {"name": secret, "digest": "1", "source_type": "local", "source": "{}"}
    _post(owner, f"{MLFLOW}/runs/log-inputs", run_id=run, datasets=[{"dataset": dataset}])
    return run


def _trace(owner: httpx.Client, experiment: str, secret: str) -> str:
    trace = f"tr-{secrets.token_hex(16)}"
    info = {
        "trace_id": trace,
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}},
        "request_time": "2026-01-01T00:00:00Z",
        "state": "OK",
        "request_preview": secret,
        "tags": {"password": secret},
    }
    _post(owner, TRACES, trace={"trace_info": info})
    return trace


def _logged_model(owner: httpx.Client, experiment: str, secret: str) -> str:
    made = _post(owner, f"{MLFLOW}/logged-models", experiment_id=experiment, name=secret)
    return str(made["model"]["info"]["model_id"])


def _registered(
    owner: httpx.Client, name: str, secret: str, *, tags: Any = (), version_tags: Any = (), **version: str
) -> None:
    _post(owner, f"{MLFLOW}/registered-models/create", name=name, description=secret, tags=tags)
    _post(owner, f"{MLFLOW}/model-versions/create", name=name, description=secret, tags=version_tags, **version)
    _post(owner, f"{MLFLOW}/registered-models/alias", name=name, alias="first", version="1")


def grant(owner: httpx.Client, place: Mapping[str, str], user: str, permission: str) -> None:
    """Give a user a permission on all that the place has, by the permissions API."""
    for resource in (
        f"experiments/{place['experiment']}",
        f"registered-models/{place['model']}",
        f"prompts/{place['prompt']}",
    ):
        path = f"{MLFLOW}/permissions/users/{user}/{resource}"
        answer = owner.post(path, json={"permission": permission})
        assert answer.status_code in (200, 201), f"{path}: {answer.status_code} {answer.text}"
