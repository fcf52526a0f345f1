"""The mapper that sets the audience of a client's access tokens, so that the server refuses those of other clients."""

from collections.abc import Mapping
from typing import Any

from mlflow_bootstrap.keycloak.connection import Api, merged

NAME = "audience"
KIND = "oidc-audience-mapper"


def audience_mapper(client_id: str) -> dict[str, Any]:
    """The mapper's owned fields; an ID token is for its client anyway.

    Source: Keycloak's Server Administration Guide, "Hardcoded audience".
    """
    # Keycloak keeps a mapper's configuration as texts, also true and false.
    config = {"included.client.audience": client_id, "access.token.claim": "true", "id.token.claim": "false"}
    return {"protocolMapper": KIND, "config": config}


def new_audience(client_id: str) -> dict[str, Any]:
    """The mapper as it is created."""
    return {"name": NAME, "protocol": "openid-connect", **audience_mapper(client_id)}


def owned_audience(client: Mapping[str, Any]) -> dict[str, Any]:
    """The same fields of the mapper that ``client`` has; empty if it has none."""
    found = _mapper_of(client)
    config = found.get("config") or {}
    kept = {name: config[name] for name in audience_mapper("")["config"] if name in config}
    return {"protocolMapper": found["protocolMapper"], "config": kept} if found else {}


def set_audience(api: Api, client: Mapping[str, Any], client_id: str) -> None:
    """Create or correct the mapper of ``client``; its other mappers stay as found."""
    found, wanted = _mapper_of(client), audience_mapper(client_id)
    what = f"the audience of client {client['clientId']}"
    if not found:
        api.create(what, api.admin.add_mapper_to_client, client["id"], new_audience(client_id))
    elif owned_audience(client) != wanted:
        body = merged(found, {"protocol": "openid-connect", **wanted})
        api.call(what, api.admin.update_client_mapper, client["id"], found["id"], body)


def remove_audience(api: Api, client: Mapping[str, Any]) -> None:
    """Delete our mapper of ``client``; fine if there is none."""
    found = _mapper_of(client)
    if found:
        what = f"the audience of client {client['clientId']}"
        api.find(what, api.admin.remove_client_mapper, client["id"], found["id"])


def _mapper_of(client: Mapping[str, Any]) -> Mapping[str, Any]:
    """The mapper of ours, which has its name."""
    mappers = client.get("protocolMappers") or []
    return next((one for one in mappers if one["name"] == NAME), {})
