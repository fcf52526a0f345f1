"""The AI gateway of MLflow 3.17.2: endpoints that call model providers with stored keys."""

from dataclasses import replace

from mlflow_sso.authorization.references import joins_traces, refers_to
from mlflow_sso.authorization.rules import (
    ADMINISTRATOR,
    AJAX,
    MEMBER,
    Body,
    Kind,
    Level,
    Route,
    Rule,
    Where,
    edits,
    manages,
    needs,
    reads,
    refused,
    rest,
    route,
)

THIRD = ("3.0",)
_GATEWAY = "/mlflow/gateway"


def _uses(path: str, where: Where = Where.REQUEST) -> Rule:
    return needs(Level.USE, Kind.GATEWAY_ENDPOINT, path, where=where)


_ENDPOINT, _SECRET, _DEFINITION = Kind.GATEWAY_ENDPOINT, Kind.GATEWAY_SECRET, Kind.GATEWAY_MODEL_DEFINITION
_USES_DEFINITIONS = needs(Level.USE, _DEFINITION, "model_configs[].model_definition_id", optional=True)
_LOGS_TO = edits(Kind.EXPERIMENT, "experiment_id", optional=True)

ENDPOINTS = (
    rest("POST", f"{_GATEWAY}/endpoints/create", MEMBER & _USES_DEFINITIONS & _LOGS_TO, versions=THIRD),
    rest("GET", f"{_GATEWAY}/endpoints/list", MEMBER.listing(_ENDPOINT), versions=THIRD),
    rest("GET", f"{_GATEWAY}/endpoints/get", reads(_ENDPOINT, "endpoint_id", optional=True), versions=THIRD),
    rest("POST", f"{_GATEWAY}/endpoints/update", edits(_ENDPOINT, "endpoint_id") & _USES_DEFINITIONS & _LOGS_TO,
         versions=THIRD),
    rest("DELETE", f"{_GATEWAY}/endpoints/delete", manages(_ENDPOINT, "endpoint_id"), versions=THIRD),
    rest("POST", f"{_GATEWAY}/endpoints/set-tag", edits(_ENDPOINT, "endpoint_id"), versions=THIRD),
    rest("DELETE", f"{_GATEWAY}/endpoints/delete-tag", edits(_ENDPOINT, "endpoint_id"), versions=THIRD),
    rest("POST", f"{_GATEWAY}/endpoints/models/attach",
         edits(_ENDPOINT, "endpoint_id") & needs(Level.USE, _DEFINITION, "model_config.model_definition_id"),
         versions=THIRD),
    rest("POST", f"{_GATEWAY}/endpoints/models/detach", edits(_ENDPOINT, "endpoint_id"), versions=THIRD),
    rest("POST", f"{_GATEWAY}/endpoints/bindings/create",
         edits(_ENDPOINT, "endpoint_id") & refers_to(Kind.SCORER, "resource_id"), versions=THIRD),
    rest("DELETE", f"{_GATEWAY}/endpoints/bindings/delete", edits(_ENDPOINT, "endpoint_id"), versions=THIRD),
    rest("GET", f"{_GATEWAY}/endpoints/bindings/list", reads(_ENDPOINT, "endpoint_id").listing(Kind.SCORER),
         versions=THIRD),
)  # fmt: skip

SECRETS = (
    rest("POST", f"{_GATEWAY}/secrets/create", MEMBER, versions=THIRD),
    rest("GET", f"{_GATEWAY}/secrets/list", MEMBER.listing(_SECRET), versions=THIRD),
    rest("GET", f"{_GATEWAY}/secrets/get", reads(_SECRET, "secret_id", optional=True), versions=THIRD),
    rest("POST", f"{_GATEWAY}/secrets/update", edits(_SECRET, "secret_id"), versions=THIRD),
    rest("DELETE", f"{_GATEWAY}/secrets/delete", manages(_SECRET, "secret_id"), versions=THIRD),
    rest("GET", f"{_GATEWAY}/secrets/config", MEMBER, prefixes=AJAX, versions=THIRD),
)

_USES_SECRET = needs(Level.USE, _SECRET, "secret_id")
_ID = "model_definition_id"

MODEL_DEFINITIONS = (
    rest("POST", f"{_GATEWAY}/model-definitions/create", _USES_SECRET, versions=THIRD),
    rest("GET", f"{_GATEWAY}/model-definitions/list", MEMBER.listing(_DEFINITION), versions=THIRD),
    rest("GET", f"{_GATEWAY}/model-definitions/get", reads(_DEFINITION, _ID), versions=THIRD),
    rest("POST", f"{_GATEWAY}/model-definitions/update",
         edits(_DEFINITION, _ID) & needs(Level.USE, _SECRET, "secret_id", optional=True), versions=THIRD),
    rest("DELETE", f"{_GATEWAY}/model-definitions/delete", manages(_DEFINITION, _ID), versions=THIRD),
)  # fmt: skip

BUDGETS_AND_GUARDRAILS = (
    *(rest("GET", f"{_GATEWAY}/budgets/{step}", ADMINISTRATOR, versions=THIRD) for step in ("get", "list", "windows")),
    *(rest("POST", f"{_GATEWAY}/budgets/{step}", ADMINISTRATOR, versions=THIRD) for step in ("create", "update")),
    rest("DELETE", f"{_GATEWAY}/budgets/delete", ADMINISTRATOR, versions=THIRD),
    *(
        rest("GET", f"{_GATEWAY}/guardrails/{step}", ADMINISTRATOR, versions=THIRD)
        for step in ("get", "list", "list-for-endpoint")
    ),
    *(
        rest("POST", f"{_GATEWAY}/guardrails/{step}", ADMINISTRATOR, versions=THIRD)
        for step in ("create", "add-to-endpoint")
    ),
    *(
        rest("DELETE", f"{_GATEWAY}/guardrails/{step}", ADMINISTRATOR, versions=THIRD)
        for step in ("delete", "remove-from-endpoint")
    ),
    rest("PATCH", f"{_GATEWAY}/guardrails/update-config", ADMINISTRATOR, versions=THIRD),
)

DISCOVERY = (
    # The plugin lets those ask who may use an endpoint, whichever.
    *(
        rest("GET", f"{_GATEWAY}/supported-{things}", MEMBER, prefixes=AJAX, versions=THIRD)
        for things in ("providers", "models")
    ),
    rest("GET", f"{_GATEWAY}/provider-config", MEMBER, prefixes=AJAX, versions=THIRD),
    rest("GET", "/mlflow/gateway-proxy", MEMBER, prefixes=AJAX),
    rest("POST", "/mlflow/gateway-proxy", edits(_ENDPOINT, "gateway_path"), prefixes=AJAX),
)

_PROVIDERS = (
    "/gateway/mlflow/v1/chat/completions",
    "/gateway/openai/v1/chat/completions",
    "/gateway/openai/v1/embeddings",
    "/gateway/openai/v1/responses",
    "/gateway/openai/v1/responses/compact",
    "/gateway/anthropic/v1/messages",
    "/gateway/typesafe/v1/systemone",
)

INVOCATIONS = (
    # Bodies are those of the providers' own interfaces.
    route("POST", _PROVIDERS, _uses("model") & joins_traces()),
    route("GET", "/gateway/mlflow/v1/models", MEMBER.listing(_ENDPOINT)),
    *(
        route("POST", path, _uses("endpoint_name", Where.PATH) & joins_traces(), body=Body.FILE)
        for path in (
            "/gateway/gemini/v1beta/models/<endpoint_name>:generateContent",
            "/gateway/gemini/v1beta/models/<endpoint_name>:streamGenerateContent",
            "/gateway/proxy/<endpoint_name>/<path:path>",
            "/gateway/<endpoint_name>/mlflow/invocations",
        )
    ),
)

ROUTES = (*ENDPOINTS, *SECRETS, *MODEL_DEFINITIONS, *BUDGETS_AND_GUARDRAILS, *DISCOVERY, *INVOCATIONS)


def gateway_routes(*, enabled: bool) -> tuple[Route, ...]:
    """The rows as they are, or each refused."""
    off = refused("the AI gateway is off; see server.ai_gateway")
    return ROUTES if enabled else tuple(replace(row, rule=off) for row in ROUTES)
