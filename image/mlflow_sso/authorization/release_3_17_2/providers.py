"""Lets the AI gateway call model providers with stored keys only, never with what the server itself has.

Members choose the fields of a secret. Without a key, or with some modes, the clients of Google, Amazon and Databricks
take the server's own identity, or a file of the pod, and some fields are parts of an address, of which MLflow judges
only ``api_base`` (mlflow/server/gateway_api.py, ``_build_endpoint_config``). This judges what a call is about to use,
whoever stored it and when.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

GOOGLE_TOKENS = frozenset(
    {
        "https://oauth2.googleapis.com/token",
        "https://accounts.google.com/o/oauth2/token",
        "https://www.googleapis.com/oauth2/v4/token",
    }
)
"""``token_uri`` of the keys that Google's console has ever written; google-auth sends a request to any other, too."""

NAME = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*(:[a-z0-9-]+)?")
"""A region, location or project: labels of a host, and of old projects a domain before a colon."""
LABEL = re.compile(r"[a-z0-9-]+")

SECONDS = 10
"""For which Databricks may take to give a token."""


def call_with_stored_keys_only() -> None:
    """Change MLflow's gateway, which must not serve yet."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.exceptions import MlflowException
    from mlflow.gateway.providers.databricks import DatabricksProvider
    from mlflow.server import gateway_api

    build: Callable[..., Any] = gateway_api._build_endpoint_config

    @wraps(build)
    def judged(*arguments: Any, **named: Any) -> Any:
        endpoint = build(*arguments, **named)
        if problem := problem_of(endpoint.model.config):
            raise MlflowException.invalid_parameter_value(f"this server does not call such a provider: {problem}")
        return endpoint

    gateway_api._build_endpoint_config = judged
    gateway_api._enable_upstream_ssrf_protection = _protect
    DatabricksProvider._get_workspace_client = lambda self: Workspace(self._provider_config)


def problem_of(config: Any) -> str | None:
    """Why a provider's configuration is not used; None if it names all that a call takes."""
    from mlflow.gateway.config import AmazonBedrockConfig
    from mlflow.gateway.providers.databricks import DatabricksConfig
    from mlflow.gateway.providers.vertex_ai import VertexAIConfig

    match config:
        case VertexAIConfig():
            return _problem_of_google(config)
        case AmazonBedrockConfig():
            return _problem_of_amazon(config.aws_config)
        case DatabricksConfig() if not config.host:
            return "the secret's auth_config has no api_base"
        case DatabricksConfig() if not config.token and not (config.client_id and config.client_secret):
            return "the secret has neither an api_key nor client_id and client_secret"
    return None


def _problem_of_google(config: Any) -> str | None:
    if not LABEL.fullmatch(config.vertex_location or "global") or not NAME.fullmatch(config.vertex_project or ""):
        return "vertex_project and vertex_location are names in small letters"
    try:
        account = json.loads(config.vertex_credentials or "")
    except (ValueError, RecursionError):
        account = None
    if not isinstance(account, dict) or account.get("type") != "service_account":
        return "vertex_credentials is the JSON of a service account's key, no file, and not the server's own"
    if account.get("token_uri") not in GOOGLE_TOKENS or account.get("universe_domain", "googleapis.com") != (
        "googleapis.com"
    ):
        return "token_uri and universe_domain of vertex_credentials are Google's"
    return None


def _problem_of_amazon(config: Any) -> str | None:
    if not LABEL.fullmatch(config.aws_region or ""):
        return "aws_region_name is the name of a region"
    has_key = getattr(config, "aws_bearer_token", "") or (
        getattr(config, "aws_access_key_id", "") and getattr(config, "aws_secret_access_key", "")
    )
    return None if has_key else "the secret has neither an api_key nor access keys, and the server's own are not used"


def _protect(endpoint_config: Any, *, raw_proxy: bool = False) -> None:
    """Connect to public addresses only, also if no ``api_base`` is given, of which names of hosts have other parts."""
    from mlflow.gateway.ssrf import upstream_ssrf_protection

    # MLflow's own address of Ollama is in the pod.
    is_local = all(
        str(getattr(model.provider, "value", model.provider)) == "ollama"
        and not (model.auth_config or {}).get("api_base")
        for model in endpoint_config.models
    )
    if raw_proxy or not is_local:
        upstream_ssrf_protection.set(True)


@dataclass(frozen=True, slots=True)
class Workspace:
    """What the provider asks of Databricks' client, which itself follows every address that a host answers with."""

    provider: Any

    @property
    def config(self) -> "Workspace":
        """Where host and headers are."""
        return self

    @property
    def host(self) -> str:
        """Without a path."""
        parts = urlsplit(self.provider.host)
        return f"{parts.scheme}://{parts.netloc}"

    def authenticate(self) -> dict[str, str]:
        """The header of a call; raises an exception of ``requests`` if Databricks gives no token."""
        return {"Authorization": f"Bearer {self.provider.token or self._token()}"}

    def _token(self) -> str:
        """By OAuth for machines, at the address of every workspace (docs.databricks.com, "OAuth M2M")."""
        import requests
        from mlflow.environment_variables import MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS
        from mlflow.webhooks.ssrf import SSRFProtectedHTTPAdapter

        with requests.Session() as session:
            if not MLFLOW_GATEWAY_API_BASE_ALLOW_PRIVATE_IPS.get():
                session.mount("http://", SSRFProtectedHTTPAdapter())
                session.mount("https://", SSRFProtectedHTTPAdapter())
            answer = session.post(
                f"{self.host}/oidc/v1/token",
                data={"grant_type": "client_credentials", "scope": "all-apis"},
                auth=(self.provider.client_id, self.provider.client_secret),
                timeout=SECONDS,
                allow_redirects=False,
            )
        answer.raise_for_status()
        return str(answer.json()["access_token"])
