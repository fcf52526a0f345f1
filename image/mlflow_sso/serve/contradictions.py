"""Refuses a request that names two things at once, for the release that may check one of them and change the other.

mlflow-oidc-auth 5.6.1 looks for what a request is about in its path, its query and its body, in an order of its own and
under some names; what then answers the request looks elsewhere, and MLflow also takes ``runId`` for ``run_id``
(protobuf's JSON mapping). So whoever may manage one model could put its name into the body and take another, the one in
the path. Neither clients nor pages ever do that.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

METHODS = frozenset({"POST", "PATCH", "DELETE"})
"""Those whose body the plugin reads. That of a PUT is an artifact of any size."""

IDENTITIES = frozenset({"experiment_id", "run_id", "name", "model_id"})
"""What the plugin checks a permission of."""

FILE_AS_BODY = "/upload-artifact"
"""There the query names a run, and the body is a file of any kind."""

SPELLINGS = {"prompt_name": "name", "run_uuid": "run_id", "experiment_name": "experiment_id"}


def refuse_contradictions() -> None:
    """Look at each request before the plugin does."""
    from mlflow.server import app

    app.before_request_funcs.setdefault(None, []).insert(0, refusal)


def refusal() -> Any:
    """The answer to a request that contradicts itself; None to every other."""
    from flask import jsonify, request

    if request.path.endswith(FILE_AS_BODY):
        return None
    body = _body(request) if request.method in METHODS else {}
    name = contradiction(request.view_args or {}, request.args, body)
    if name is None:
        return None
    message = (
        f"this request says in two places, or in the wrong one, which {name} it is about; say it once, in the body"
    )
    return jsonify(error_code="INVALID_PARAMETER_VALUE", message=message), 400


def _body(request: Any) -> Mapping[str, Any]:
    if not request.is_json:
        return cast(Mapping[str, Any], request.form)
    body = request.get_json(silent=True)
    if isinstance(body, str):
        # Which MLflow decodes once more, for the sake of its first clients.
        with suppress(ValueError):
            body = json.loads(body)
    return body if isinstance(body, Mapping) else {}


def contradiction(path: Mapping[str, Any], query: Mapping[str, Any], body: Mapping[str, Any]) -> str | None:
    """What a request names twice, or beside its body; None where it does neither."""
    in_path, in_query, in_body = (list(_plain(source)) for source in (path, query, body))
    said: dict[str, str] = {}
    for spelling, name, value in (*in_path, *in_query, *in_body):
        if said.setdefault(name, value) != value:
            return spelling
    if not body:
        return None
    beside = {name for _, name, _ in in_query} - {name for _, name, _ in (*in_path, *in_body)}
    return min(IDENTITIES & beside, default=None)


def _plain(source: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Spelling, name and value of everything that has one value."""
    for spelling, value in source.items():
        if isinstance(value, str | int | float):
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", spelling).lower()
            # No experiment's identifier has a space in it, so a name is never taken for one.
            text = f"name {value}" if name == "experiment_name" else str(value)
            yield spelling, SPELLINGS.get(name, name), text


def find_a_prompts_name_in_the_path() -> None:
    """Let who manages a prompt grant permissions on it: the plugin looks for its name everywhere else."""
    from flask import request
    from mlflow_oidc_auth.utils import decorators

    elsewhere = decorators.get_model_name
    decorators.get_model_name = lambda: (request.view_args or {}).get("prompt_name") or elsewhere()
