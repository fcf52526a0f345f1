"""Routes of the model registry: registered models, which prompts are, too, and their versions."""

from mlflow_sso.authorization.rules import (
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

MODEL = Kind.REGISTERED_MODEL
READ, EDIT, MANAGE = reads(MODEL, "name"), edits(MODEL, "name"), manages(MODEL, "name")
KEY = has(Form.TAG_KEY, "key")

ROUTES = (
    rest("POST", "/mlflow/registered-models/create", MEMBER & tags("tags", new=True)),
    rest("GET", "/mlflow/registered-models/get", READ),
    rest("GET", "/mlflow/registered-models/search", MEMBER.listing(MODEL)),
    rest("GET POST", "/mlflow/registered-models/get-latest-versions", READ),
    rest("PATCH", "/mlflow/registered-models/update", EDIT),
    rest("POST", "/mlflow/registered-models/rename", EDIT),
    rest("DELETE", "/mlflow/registered-models/delete", MANAGE),
    rest("POST", "/mlflow/registered-models/set-tag", EDIT & tags("")),
    rest("DELETE", "/mlflow/registered-models/delete-tag", EDIT & KEY),
    rest("GET", "/mlflow/registered-models/alias", READ),
    rest("POST", "/mlflow/registered-models/alias", EDIT),
    rest("DELETE", "/mlflow/registered-models/alias", MANAGE),
    rest("POST", "/mlflow/model-versions/create",
         EDIT & has(Form.SOURCE, "source") & tags("tags", new=True) & reads(Kind.RUN, "run_id", optional=True)
         & reads(Kind.LOGGED_MODEL, "model_id", optional=True)),
    rest("GET", "/mlflow/model-versions/get", READ),
    rest("GET", "/mlflow/model-versions/get-download-uri", READ),
    rest("GET", "/mlflow/model-versions/search", MEMBER.listing(MODEL)),
    rest("PATCH", "/mlflow/model-versions/update", EDIT),
    rest("POST", "/mlflow/model-versions/transition-stage", EDIT),
    rest("POST", "/mlflow/model-versions/set-tag", EDIT & tags("")),
    rest("DELETE", "/mlflow/model-versions/delete-tag", MANAGE & KEY),
    rest("DELETE", "/mlflow/model-versions/delete", MANAGE),
)  # fmt: skip
