"""Requests for the server itself, for permissions and for users.

Values in braces are those of the place that a request goes to (places.py).
"""

from row import MLFLOW, PAGES, PROXY, Level, Row, get, send

SERVER = (
    Row(name="ask for health", needs=Level.ANYBODY, method="GET", path="/health"),
    Row(name="ask for the version", needs=Level.MEMBER, method="GET", path="/version"),
    Row(name="read metrics of the server", needs=Level.NOBODY, method="GET", path="/metrics"),
    send("make an experiment", Level.MEMBER, "POST", f"{MLFLOW}/experiments/create", name="{secret} {role}"),
    Row(name="list webhooks", needs=Level.ADMIN, method="GET", path=f"{MLFLOW}/webhooks"),
    Row(name="list webhooks as pages do", needs=Level.ADMIN, method="GET", path=f"{PAGES}/webhooks"),
)  # fmt: skip

KINDS = {
    "an experiment": "experiments/{experiment}",
    "a model": "registered-models/{model}",
    "a prompt": "prompts/{prompt}",
}
GRANTS = (
    get("see who may use an experiment", Level.MANAGE, f"{MLFLOW}/permissions/experiments/{{experiment}}/users",
        shows="{holder}"),
    get("see who may use a model", Level.MANAGE, f"{MLFLOW}/permissions/registered-models/{{model}}/users",
        shows="{holder}"),
    *(send(f"grant {kind}", Level.MANAGE, "POST", f"{MLFLOW}/permissions/users/{{third}}/{path}", permission="READ")
      for kind, path in KINDS.items()),
    *(send(f"raise one's permission on {kind}", Level.MANAGE, "PATCH",
           f"{MLFLOW}/permissions/users/{{holder}}/{path}", permission="MANAGE") for kind, path in KINDS.items()),
    send("grant by a pattern", Level.ADMIN, "POST", f"{MLFLOW}/permissions/users/{{third}}/experiment-patterns",
         regex="^{secret}$", permission="READ", priority=100),
)  # fmt: skip

_OWN_TAG = f"{MLFLOW}/registered-models/set-tag?name={{own}}"
_OTHERS_PROMPT = f"{MLFLOW}/permissions/users/{{fourth}}/prompts/{{model}}"
_OWN_EXPERIMENT = f"{MLFLOW}/experiments/set-experiment-tag?experiment_id={{own_experiment}}"
_TAG = {"key": "colour", "value": "red"}
TWO_NAMES = (
    send("tag a model behind one's own", Level.NOBODY, "POST", _OWN_TAG, name="{model}", **_TAG),
    send("grant a model behind one's own", Level.NOBODY, "POST", _OTHERS_PROMPT, permission="MANAGE", name="{own}"),
    send("the same with the query", Level.NOBODY, "POST", f"{_OTHERS_PROMPT}?name={{own}}", permission="MANAGE"),
    send("tag an experiment behind one's own", Level.NOBODY, "POST", _OWN_EXPERIMENT, experiment_id="{experiment}",
         **_TAG),
    send("the same in another spelling", Level.NOBODY, "POST", _OWN_EXPERIMENT, experimentId="{experiment}", **_TAG),
    send("log to a run behind another", Level.NOBODY, "POST", f"{MLFLOW}/runs/set-tag", run_uuid="{own_run}",
         runId="{run}", **_TAG),
)  # fmt: skip
"""Requests that name what one may change and what one may not: refused, whoever asks."""

EXPIRY = "2027-01-01T00:00:00+00:00"
USERS_3_6_0 = (
    get("list all users", Level.MEMBER, f"{MLFLOW}/permissions/users", shows="{third}"),
    get("read another user", Level.ADMIN, f"{MLFLOW}/users/get?username={{third}}", shows="{third}"),
    send("make a user", Level.ADMIN, "POST", f"{MLFLOW}/users/create", username="{role}.{secret}", display_name="x"),
    send("make a key for another user", Level.ADMIN, "PATCH", f"{MLFLOW}/permissions/users/access-token",
         username="{third}", expiration=EXPIRY),
)  # fmt: skip
USERS_3_17_2 = (
    get("ask where to download an artifact", Level.READ, f"{PROXY}/presigned/{{file}}"),
    get("list all users", Level.MEMBER, f"{MLFLOW}/users", shows="{third}"),
    get("read another user", Level.ADMIN, f"{MLFLOW}/users/{{third}}", shows="{third}"),
    send("make a user", Level.ADMIN, "POST", f"{MLFLOW}/users", username="{role}.{secret}", display_name="x"),
    # A key makes no keys here: that takes a login.
    send("make a key for another user", Level.NOBODY, "PATCH", f"{MLFLOW}/users/access-token",
         username="{third}", expiration=EXPIRY),
)  # fmt: skip
