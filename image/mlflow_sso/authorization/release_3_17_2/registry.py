"""Registered models, prompts, which are models with a tag, and their versions, of MLflow 3.17.2."""

from mlflow_sso.authorization.rules import (
    ADMINISTRATOR,
    MEMBER,
    Form,
    Kind,
    edits,
    has,
    manages,
    reads,
    rest,
    tags,
)

_MODEL = Kind.REGISTERED_MODEL
_KEY = has(Form.TAG_KEY, "key")

MODELS = (
    rest("POST", "/mlflow/registered-models/create", MEMBER & tags("tags", new=True)),
    rest("GET", "/mlflow/registered-models/get", reads(_MODEL, "name")),
    rest("PATCH", "/mlflow/registered-models/update", edits(_MODEL, "name")),
    rest("POST", "/mlflow/registered-models/rename", edits(_MODEL, "name")),
    rest("DELETE", "/mlflow/registered-models/delete", manages(_MODEL, "name")),
    rest("GET", "/mlflow/registered-models/get-latest-versions", reads(_MODEL, "name")),
    rest("POST", "/mlflow/registered-models/get-latest-versions", reads(_MODEL, "name")),
    rest("POST", "/mlflow/registered-models/set-tag", edits(_MODEL, "name") & tags("")),
    rest("DELETE", "/mlflow/registered-models/delete-tag", edits(_MODEL, "name") & _KEY),
    rest("GET", "/mlflow/registered-models/alias", reads(_MODEL, "name")),
    rest("POST", "/mlflow/registered-models/alias", edits(_MODEL, "name")),
    rest("DELETE", "/mlflow/registered-models/alias", manages(_MODEL, "name")),
)

VERSIONS = (
    # The plugin asks for what ``source``, ``run_id`` and ``model_id`` name, too.
    rest(
        "POST",
        "/mlflow/model-versions/create",
        edits(_MODEL, "name") & has(Form.SOURCE, "source") & tags("tags", new=True),
    ),
    rest("GET", "/mlflow/model-versions/get", reads(_MODEL, "name")),
    rest("GET", "/mlflow/model-versions/get-download-uri", reads(_MODEL, "name")),
    rest("PATCH", "/mlflow/model-versions/update", edits(_MODEL, "name")),
    rest("POST", "/mlflow/model-versions/transition-stage", edits(_MODEL, "name")),
    rest("DELETE", "/mlflow/model-versions/delete", manages(_MODEL, "name")),
    rest("POST", "/mlflow/model-versions/set-tag", edits(_MODEL, "name") & tags("")),
    rest("DELETE", "/mlflow/model-versions/delete-tag", manages(_MODEL, "name") & _KEY),
)

WEBHOOKS = (
    # A webhook lets the server call an address, and hears of every change of the registry.
    rest("GET POST", "/mlflow/webhooks", ADMINISTRATOR),
    rest("GET PATCH DELETE", "/mlflow/webhooks/<webhook_id>", ADMINISTRATOR),
    rest("POST", "/mlflow/webhooks/<webhook_id>/test", ADMINISTRATOR),
)

LISTED_BY_SERVE = (
    rest("GET", "/mlflow/registered-models/search", MEMBER.listing(_MODEL)),
    rest("GET", "/mlflow/model-versions/search", MEMBER.listing(_MODEL)),
)

ROUTES = (*MODELS, *VERSIONS, *WEBHOOKS)
