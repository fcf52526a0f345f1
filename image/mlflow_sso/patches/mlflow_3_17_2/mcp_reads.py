"""Servers of the MCP registry are read by who may: the plugin lets every member read one without a grant."""


def ask_for_grants_of_servers() -> None:
    """Let the permission decide that the plugin has for each server, the default one included."""
    from mlflow_oidc_auth.middleware import mcp_server_registry
    from mlflow_oidc_auth.utils.permissions import can_read_mcp_server

    mcp_server_registry._may_read = can_read_mcp_server
