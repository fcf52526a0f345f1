"""The registry of MCP servers and MLflow's assistant, of MLflow 3.17.2."""

from mlflow_sso.authorization.rules import (
    ADMINISTRATOR,
    MEMBER,
    Kind,
    Where,
    edits,
    manages,
    reads,
    refused,
    rest,
    route,
)

THIRD = ("3.0",)
_SERVERS, _SERVER = "/mlflow/mcp-servers", "/mlflow/mcp-servers/<path:name>"
_READ, _EDIT, _MANAGE = (needed(Kind.MCP_SERVER, "name", where=Where.PATH) for needed in (reads, edits, manages))

MCP_SERVERS = (
    # Members need MANAGE of a workspace to create one, and this server has no workspaces.
    rest("POST", _SERVERS, ADMINISTRATOR, versions=THIRD),
    rest("GET", _SERVERS, MEMBER.listing(Kind.MCP_SERVER), versions=THIRD),
    rest("GET", f"{_SERVERS}/endpoints", MEMBER.listing(Kind.MCP_SERVER), versions=THIRD),
    rest("GET", _SERVER, _READ, versions=THIRD),
    rest("GET", f"{_SERVER}/versions", _READ, versions=THIRD),
    rest("GET", f"{_SERVER}/versions/<path:version>", _READ, versions=THIRD),
    rest("GET", f"{_SERVER}/endpoints", _READ, versions=THIRD),
    rest("GET", f"{_SERVER}/endpoints/<endpoint_id>", _READ, versions=THIRD),
    rest("GET", f"{_SERVER}/aliases/<path:alias>", _READ, versions=THIRD),
    rest("PATCH", _SERVER, _EDIT, versions=THIRD),
    rest("POST", f"{_SERVER}/versions", _EDIT, versions=THIRD),
    rest("PATCH", f"{_SERVER}/versions/<path:version>", _EDIT, versions=THIRD),
    rest("POST", f"{_SERVER}/versions/<path:version>/tags", _EDIT, versions=THIRD),
    rest("POST", f"{_SERVER}/endpoints", _EDIT, versions=THIRD),
    rest("PATCH", f"{_SERVER}/endpoints/<endpoint_id>", _EDIT, versions=THIRD),
    rest("POST", f"{_SERVER}/tags", _EDIT, versions=THIRD),
    rest("POST", f"{_SERVER}/aliases", _EDIT, versions=THIRD),
    rest("DELETE", _SERVER, _MANAGE, versions=THIRD),
    rest("DELETE", f"{_SERVER}/versions/<path:version>", _MANAGE, versions=THIRD),
    rest("DELETE", f"{_SERVER}/versions/<path:version>/tags/<path:key>", _MANAGE, versions=THIRD),
    rest("DELETE", f"{_SERVER}/endpoints/<endpoint_id>", _MANAGE, versions=THIRD),
    rest("DELETE", f"{_SERVER}/tags/<path:key>", _MANAGE, versions=THIRD),
    rest("DELETE", f"{_SERVER}/aliases/<path:alias>", _MANAGE, versions=THIRD),
)

_ASSISTANT = "/ajax-api/3.0/mlflow/assistant"
_NO_ASSISTANT = refused("MLflow's assistant runs programs on the server")

ASSISTANT = (
    # Pages ask for both; they name no secret.
    route("GET", f"{_ASSISTANT}/config", MEMBER),
    route("GET", f"{_ASSISTANT}/providers", MEMBER),
    route("PUT", f"{_ASSISTANT}/config", _NO_ASSISTANT),
    route("POST", f"{_ASSISTANT}/message", _NO_ASSISTANT),
    route("GET", f"{_ASSISTANT}/providers/<provider>/health", _NO_ASSISTANT),
    route("GET", f"{_ASSISTANT}/providers/<provider>/models", _NO_ASSISTANT),
    route("PATCH", f"{_ASSISTANT}/sessions/<session_id>", _NO_ASSISTANT),
    route("POST", f"{_ASSISTANT}/sessions/<session_id>/permission", _NO_ASSISTANT),
    route("GET", f"{_ASSISTANT}/sessions/<session_id>/stream", _NO_ASSISTANT),
    route("POST", f"{_ASSISTANT}/sessions/<session_id>/tool-result", _NO_ASSISTANT),
    route("POST", f"{_ASSISTANT}/skills/install", _NO_ASSISTANT),
)

ROUTES = (*MCP_SERVERS, *ASSISTANT)
