"""Login, pages, health, trash, webhooks and what is not served at all, of MLflow 3.17.2 and mlflow-oidc-auth 11.0.2."""

from mlflow_sso.authorization.rules import (
    ADMINISTRATOR,
    AJAX,
    MEMBER,
    OPEN,
    Form,
    Route,
    has,
    refused,
    rest,
    route,
)

_ONE_PROVIDER = refused("this server has one login, by OpenID Connect")
_NO_DIRECTORY = refused("users and groups come from the login, not from SCIM")
_NO_WORKSPACES = refused("this server has no workspaces")

LOGIN = (
    route("GET", "/login", OPEN),
    route("GET", "/callback", OPEN),
    route("GET", "/logout", MEMBER),
    route("GET", "/auth/status", MEMBER),
    route("GET", "/providers", OPEN),
    route("GET", "/login/<provider_id>", _ONE_PROVIDER),
    route("GET", "/callback/<provider_id>", _ONE_PROVIDER),
    route("POST", "/callback/<provider_id>", _ONE_PROVIDER),
    route("GET", "/slo/<provider_id>", _ONE_PROVIDER),
    route("GET", "/saml/metadata/<provider_id>", _ONE_PROVIDER),
)

PAGES = (
    route("GET", "/", MEMBER),
    route("GET", "/build/<path:filename>", MEMBER),
    route("GET", "/static-files/<path:path>", OPEN),
    route("GET", "/version", MEMBER),
    route("GET", "/oidc/ui", OPEN),
    route("GET", "/oidc/ui/", OPEN),
    route("GET", "/oidc/ui/config.json", OPEN),
    route("GET", "/oidc/ui/<path:filename>", OPEN),
    rest("GET", "/mlflow/server-info", MEMBER, versions=("3.0",)),
    rest("GET", "/mlflow/ui-telemetry", MEMBER, prefixes=AJAX, versions=("3.0",)),
    rest("POST", "/mlflow/ui-telemetry", MEMBER, prefixes=AJAX, versions=("3.0",)),
)

HEALTH = (
    *(route("GET", path, OPEN) for path in ("/health", "/health/live", "/health/ready", "/health/startup")),
    route("GET", "/metrics", refused("metrics have a port of their own")),
)

GRAPHQL = (
    route("POST", "/graphql", has(Form.GRAPHQL, "")),
    route("GET", "/graphql", refused("a GraphQL document is sent by POST")),
)

TRASH = (
    route("GET", "/oidc/trash/experiments", ADMINISTRATOR),
    route("GET", "/oidc/trash/runs", ADMINISTRATOR),
    route("POST", "/oidc/trash/cleanup", ADMINISTRATOR),
    route("POST", "/oidc/trash/experiments/<experiment_id>/restore", ADMINISTRATOR),
    route("POST", "/oidc/trash/runs/<run_id>/restore", ADMINISTRATOR),
)

WEBHOOKS = (
    route("GET", "/oidc/webhook", ADMINISTRATOR),
    route("POST", "/oidc/webhook", ADMINISTRATOR),
    route("GET", "/oidc/webhook/<webhook_id>", ADMINISTRATOR),
    route("PUT", "/oidc/webhook/<webhook_id>", ADMINISTRATOR),
    route("DELETE", "/oidc/webhook/<webhook_id>", ADMINISTRATOR),
    route("POST", "/oidc/webhook/<webhook_id>/test", ADMINISTRATOR),
)

_EVERY = "GET POST PUT PATCH DELETE OPTIONS TRACE CONNECT"

SCIM = (
    # The page of administrators shows that there is none.
    *(rest("GET", f"/mlflow/scim/{what}", ADMINISTRATOR) for what in ("status", "activity", "tokens")),
    rest("POST", "/mlflow/scim/tokens", _NO_DIRECTORY),
    rest("DELETE", "/mlflow/scim/tokens/<token_id>", _NO_DIRECTORY),
    rest("POST", "/mlflow/scim/tokens/<token_id>/rotate", _NO_DIRECTORY),
    *(
        row
        for kind, name in (("Users", "user_id"), ("Groups", "group_id"))
        for row in (
            route("GET POST", f"/scim/v2/{kind}", _NO_DIRECTORY),
            route("GET PUT PATCH DELETE", f"/scim/v2/{kind}/<path:{name}>", _NO_DIRECTORY),
        )
    ),
    route("GET", "/scim/v2/ServiceProviderConfig", _NO_DIRECTORY),
    route("GET", "/scim/v2/ResourceTypes", _NO_DIRECTORY),
    route("GET", "/scim/v2/ResourceTypes/<resource_type>", _NO_DIRECTORY),
    route("GET", "/scim/v2/Schemas", _NO_DIRECTORY),
    route("GET", "/scim/v2/Schemas/<path:schema_id>", _NO_DIRECTORY),
    route(_EVERY, "/scim/v2/<path:unsupported>", _NO_DIRECTORY),
)

_WORKSPACE, _RULES = "/mlflow/workspaces", "/mlflow/workspace-rules"

WORKSPACES = (
    *(rest("GET POST", path, _NO_WORKSPACES, versions=("3.0",)) for path in (_WORKSPACE, _RULES)),
    rest("GET PATCH DELETE", f"{_WORKSPACE}/<workspace_name>", _NO_WORKSPACES, versions=("3.0",)),
    rest("GET PATCH DELETE", f"{_RULES}/<rule_id>", _NO_WORKSPACES, versions=("3.0",)),
    rest("POST", f"{_RULES}/preview", _NO_WORKSPACES, versions=("3.0",)),
    rest("GET", f"{_RULES}/<rule_id>/preview", _NO_WORKSPACES, versions=("3.0",)),
)

ROUTES: tuple[Route, ...] = (*LOGIN, *PAGES, *HEALTH, *GRAPHQL, *TRASH, *WEBHOOKS, *SCIM, *WORKSPACES)
