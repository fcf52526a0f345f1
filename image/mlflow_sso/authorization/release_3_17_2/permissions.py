"""Permissions and users, of mlflow-oidc-auth 11.0.2: who may see and change who may do what."""

from mlflow_sso.authorization.rules import (
    ADMINISTRATOR,
    MEMBER,
    Kind,
    Route,
    Rule,
    Where,
    manages,
    rest,
)

USER, GROUP = "/mlflow/permissions/users/<username>", "/mlflow/permissions/groups/<group_name>"
_EXPERIMENT = manages(Kind.EXPERIMENT, "experiment_id", where=Where.PATH)
_MODEL = manages(Kind.REGISTERED_MODEL, "name", where=Where.PATH)
_PROMPT = manages(Kind.REGISTERED_MODEL, "prompt_name", where=Where.PATH)
_MCP_SERVER = manages(Kind.MCP_SERVER, "name", where=Where.PATH)


def _grants(path: str, rule: Rule, *methods: str) -> list[Route]:
    return [rest(method, path, rule) for method in methods]


_CHANGES = ("POST", "PATCH", "DELETE")
_ALL = ("GET", *_CHANGES)

GRANTS = (
    *_grants(f"{USER}/experiments/<experiment_id>", _EXPERIMENT, *_ALL),
    *_grants(f"{USER}/registered-models/<path:name>", _MODEL, *_ALL),
    *_grants(f"{USER}/prompts/<path:name>", _MODEL, *_ALL),
    *_grants(f"{USER}/scorers/<experiment_id>/<path:scorer_name>", _EXPERIMENT, *_ALL),
    *_grants(f"{USER}/mcp-servers/<path:name>", _MCP_SERVER, *_ALL),
    *_grants(f"{GROUP}/experiments/<experiment_id>", _EXPERIMENT, *_CHANGES),
    *_grants(f"{GROUP}/registered-models/<path:name>", _MODEL, *_CHANGES),
    *_grants(f"{GROUP}/prompts/<path:prompt_name>", _PROMPT, *_CHANGES),
    *_grants(f"{GROUP}/scorers/<experiment_id>/<path:scorer_name>", _EXPERIMENT, *_CHANGES),
    *_grants(f"{GROUP}/mcp-servers/<path:name>", _MCP_SERVER, *_ALL),
)

OF_ADMINISTRATORS = tuple(
    row
    for holder in (USER, GROUP)
    for row in (
        *(
            row
            for kind in ("endpoints", "model-definitions", "secrets")
            for row in (
                *_grants(f"{holder}/gateways/{kind}/<path:name>", ADMINISTRATOR, *_ALL),
                *_grants(f"{holder}/gateways/{kind}-patterns", ADMINISTRATOR, "GET", "POST"),
                *_grants(f"{holder}/gateways/{kind}-patterns/<id>", ADMINISTRATOR, "GET", "PATCH", "DELETE"),
            )
        ),
        *(
            row
            for kind in ("experiment-patterns", "registered-models-patterns", "prompts-patterns", "scorer-patterns")
            for row in (
                *_grants(f"{holder}/{kind}", ADMINISTRATOR, "GET", "POST"),
                *_grants(f"{holder}/{kind}/<id>", ADMINISTRATOR, "GET", "PATCH", "DELETE"),
            )
        ),
    )
)

_OWN_KINDS = ("experiments", "registered-models", "prompts", "scorers", "mcp-servers")
_GATEWAY_KINDS = ("gateways/endpoints", "gateways/model-definitions", "gateways/secrets")

LISTS = (
    # One's own, or of another user those of what one manages.
    *(rest("GET", f"{USER}/{kind}", MEMBER) for kind in (*_OWN_KINDS, *_GATEWAY_KINDS)),
    *(rest("GET", f"{GROUP}/{kind}", MEMBER) for kind in _OWN_KINDS),
    *(rest("GET", f"{GROUP}/{kind}", ADMINISTRATOR) for kind in (*_GATEWAY_KINDS, "users")),
    # Of what one manages.
    *(
        rest("GET", f"/mlflow/permissions/{kind}", MEMBER)
        for kind in ("experiments", "registered-models", "prompts", "mcp-servers", *_GATEWAY_KINDS)
    ),
    rest("GET", "/mlflow/permissions/groups", MEMBER),
    rest("POST", "/mlflow/permissions/groups", ADMINISTRATOR),
    rest("GET", "/mlflow/permissions/groups/details", ADMINISTRATOR),
)


def _holders(path: str, rule: Rule, versions: tuple[str, ...] = ("2.0",)) -> list[Route]:
    return [
        rest("GET", f"/mlflow/permissions/{path}/{holders}", rule, versions=versions) for holders in ("users", "groups")
    ]


HOLDERS = (
    *_holders("experiments/<experiment_id>", _EXPERIMENT),
    *_holders("registered-models/<path:name>", _MODEL),
    *_holders("prompts/<path:prompt_name>", _PROMPT),
    *_holders("mcp-servers/<path:name>", _MCP_SERVER),
    *_holders("gateways/endpoints/<path:name>", manages(Kind.GATEWAY_ENDPOINT, "name", where=Where.PATH)),
    *_holders(
        "gateways/model-definitions/<path:name>", manages(Kind.GATEWAY_MODEL_DEFINITION, "name", where=Where.PATH)
    ),
    *_holders("gateways/secrets/<path:name>", manages(Kind.GATEWAY_SECRET, "name", where=Where.PATH)),
    *_holders("scorers/<experiment_id>/<path:scorer_name>", _EXPERIMENT, ("3.0",)),
    rest("GET", "/mlflow/permissions/scorers/<experiment_id>", MEMBER, versions=("3.0",)),
)

_ONE = "/mlflow/users/<username>"

USERS = (
    # Granting a permission needs the user's name.
    rest("GET", "/mlflow/users", MEMBER),
    rest("POST", "/mlflow/users", ADMINISTRATOR),
    rest("DELETE", "/mlflow/users", ADMINISTRATOR),
    rest("GET", "/mlflow/users/details", ADMINISTRATOR),
    rest("PATCH", "/mlflow/users/ownership", ADMINISTRATOR),
    rest("GET", "/mlflow/users/service-account-sources", ADMINISTRATOR),
    rest("GET", "/mlflow/users/current", MEMBER),
    # One's own keys; only a login creates a key, and for another user only an administrator's.
    rest("PATCH", "/mlflow/users/access-token", MEMBER),
    rest("GET", "/mlflow/users/current/tokens", MEMBER),
    rest("POST", "/mlflow/users/current/tokens", MEMBER),
    rest("DELETE", "/mlflow/users/current/tokens/<token_id>", MEMBER),
    rest("GET", _ONE, ADMINISTRATOR),
    rest("PATCH", f"{_ONE}/active", ADMINISTRATOR),
    rest("GET", f"{_ONE}/identities", ADMINISTRATOR),
    rest("DELETE", f"{_ONE}/identities", ADMINISTRATOR),
    rest("PUT", f"{_ONE}/service-account-source", ADMINISTRATOR),
    rest("GET", f"{_ONE}/sessions", ADMINISTRATOR),
    rest("DELETE", f"{_ONE}/sessions", ADMINISTRATOR),
    rest("DELETE", f"{_ONE}/sessions/<session_pk>", ADMINISTRATOR),
    rest("GET", f"{_ONE}/tokens", ADMINISTRATOR),
    rest("POST", f"{_ONE}/tokens", ADMINISTRATOR),
    rest("DELETE", f"{_ONE}/tokens", ADMINISTRATOR),
    rest("DELETE", f"{_ONE}/tokens/<token_id>", ADMINISTRATOR),
)

ROUTES = (*GRANTS, *OF_ADMINISTRATORS, *LISTS, *HOLDERS, *USERS)
