"""Routes of the server itself: pages, login, users."""

from mlflow_sso.authorization.rules import (
    ADMINISTRATOR,
    API,
    BOTH,
    MEMBER,
    OPEN,
    Form,
    Kind,
    Where,
    has,
    refused,
    rest,
    route,
)

WEBHOOKS = refused("webhooks make the server connect to any address")
SPARE = refused("MLflow does not implement it")

ROUTES = (
    route("GET", "/health", OPEN),
    route("GET", "/metrics", refused("metrics have a port of their own")),
    route("GET", "/login", OPEN),
    route("GET", "/callback", OPEN),
    route("GET", "/oidc/static/<path:filename>", OPEN),
    route("GET", "/logout", MEMBER),
    route("GET", "/version", MEMBER),
    route("GET", "/", MEMBER),
    route("GET", "/static-files/<path:path>", MEMBER),
    route("GET", "/build/<path:filename>", refused("MLflow's pages are below /static-files")),
    route("GET", ("/oidc/ui/", "/oidc/ui/config.json", "/oidc/ui/<path:filename>"), MEMBER),
    # Users. Pages list names and groups to grant permissions to.
    rest("GET", "/mlflow/permissions/users", MEMBER, prefixes=API),
    rest("GET", "/mlflow/permissions/users/current", MEMBER, prefixes=API),
    rest("GET", "/mlflow/permissions/groups", MEMBER, prefixes=API),
    rest("GET", "/mlflow/permissions/groups/<group_name>/users", MEMBER, prefixes=API),
    rest("PATCH", "/mlflow/permissions/users/access-token", has(Form.SELF, "username"), prefixes=API),
    rest("GET", "/mlflow/users/get", has(Form.SELF, "username", where=Where.QUERY), prefixes=API),
    rest("PATCH", "/mlflow/users/update-password", has(Form.SELF, "username"), prefixes=API),
    rest("POST", "/mlflow/users/create", ADMINISTRATOR, prefixes=API),
    rest("PATCH", "/mlflow/users/update-admin", ADMINISTRATOR, prefixes=API),
    rest("DELETE", "/mlflow/users/delete", ADMINISTRATOR, prefixes=API),
    # GraphQL reads a body from GET, too, which no page does.
    route("POST", "/graphql", has(Form.GRAPHQL, "query").listing(Kind.REGISTERED_MODEL)),
    route("GET", "/graphql", refused("GraphQL is asked by POST")),
    # The page of an experiment asks whether there is an AI gateway, and is told that it has no endpoints.
    rest("GET", "/mlflow/gateway-proxy", MEMBER, prefixes=("/ajax-api",)),
    rest("POST", "/mlflow/gateway-proxy", refused("this release serves no AI gateway"), prefixes=("/ajax-api",)),
    rest("GET POST", "/mlflow/webhooks", WEBHOOKS),
    rest("GET PATCH DELETE", "/mlflow/webhooks/<webhook_id>", WEBHOOKS),
    rest("POST", "/mlflow/webhooks/<webhook_id>/test", WEBHOOKS),
    rest("GET", "/mlflow/get-online-trace-details", SPARE),
    rest("GET", "/mlflow/unified-traces", SPARE),
    route("POST", tuple(f"{prefix}/2.0mlflow/experiments/search-datasets" for prefix in BOTH), SPARE),
)  # fmt: skip
