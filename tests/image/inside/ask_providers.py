"""Has the AI gateway call providers with the server's own identity, files and network; writes what came of it as JSON.

Arguments: the root of the Secrets and the access keys by user name.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from application import Answer, Application, Request, basic
from gateway_world import GATEWAY, start_provider
from world import User

CHAT = {"messages": [{"role": "user", "content": "a question"}]}


def service_account(token_uri: str) -> dict[str, str]:
    """A key as Google's console writes it, which asks for tokens at ``token_uri``."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {"type": "service_account", "project_id": "p", "private_key_id": "1", "client_id": "1"}
    return {**account, "private_key": pem.decode(), "client_email": "a@example.com", "token_uri": token_uri}


def mount_google_key(token_uri: str) -> str:
    """A key of the server's, which programs of Google's find by themselves."""
    file = Path(tempfile.mkdtemp(), "key.json")
    file.write_text(json.dumps(service_account(token_uri)))
    os.environ["GOOGLE_APPLICATION_CREDENTIALS"] = str(file)
    return str(file)


def attacks(provider: str, file: str) -> Iterator[tuple[str, str, str, Mapping[str, Any], Mapping[str, str]]]:
    """Name, provider, model, ``auth_config`` and ``secret_value`` of a secret."""
    host = urlsplit(provider).netloc
    vertex = {"vertex_project": "p", "vertex_location": "us-central1"}
    elsewhere = {"vertex_project": "p", "vertex_location": f"{host}/v1?"}
    own = json.dumps(service_account(f"{provider}/token"))
    gemini, claude = "gemini-2.0-flash", "claude-sonnet-4"
    yield "vertex: server's identity", "vertex_ai", gemini, vertex, {"api_key": "k"}
    yield "vertex: identity to another host", "vertex_ai", claude, elsewhere, {"api_key": "k"}
    yield "vertex: file of the server", "vertex_ai", gemini, vertex, {"vertex_credentials": file}
    yield "vertex: address of tokens", "vertex_ai", gemini, vertex, {"vertex_credentials": own}
    region = {"aws_region_name": "us-east-1"}
    model = "anthropic.claude-v2"
    for mode in ("default_chain", "iam_role", "access_keys", "other"):
        auth = {**region, "auth_mode": mode, "aws_role_name": "arn:aws:iam::1:role/r"}
        yield f"bedrock: {mode}", "bedrock", model, auth, {"api_key": "k"}
    other = {"aws_region_name": "example.com/?", "auth_mode": "api_key"}
    yield "bedrock: another host", "bedrock", model, other, {"api_key": "k"}
    chain = {"api_base": provider, "auth_mode": "pat_token"}
    yield "databricks: server's identity", "databricks", "m", chain, {"other": "k"}
    yield "databricks: no host", "databricks", "m", {"auth_mode": "pat_token"}, {"api_key": "k"}


def served(provider: str) -> Iterator[tuple[str, str, str, Mapping[str, Any], Mapping[str, str]]]:
    """With keys of one's own only, which the provider of this test can answer."""
    yield "openai", "openai", "m", {"api_base": provider}, {"api_key": "k"}
    yield "databricks: token", "databricks", "m", {"api_base": provider}, {"api_key": "k"}
    oauth = {"api_base": provider, "auth_mode": "oauth_m2m", "client_id": "c"}
    yield "databricks: OAuth", "databricks", "m", oauth, {"client_secret": "k"}


def vertex_problem() -> str | None:
    """Of a key with Google's own address, which no test asks."""
    from mlflow.gateway.providers.vertex_ai import VertexAIConfig

    from mlflow_sso.authorization.release_3_17_2.providers import problem_of

    key = json.dumps(service_account("https://oauth2.googleapis.com/token"))
    return problem_of(VertexAIConfig(vertex_project="example.com:p-1", vertex_location=None, vertex_credentials=key))


class Asking:
    """As a member without any grant."""

    def __init__(self, application: Application, user: User) -> None:
        self._application, self._user, self._made = application, user, 0

    def call(self, provider: str, model: str, auth: Mapping[str, Any], secret: Mapping[str, str]) -> Answer:
        """Create an endpoint and call it; the first answer that is none of success ends it."""
        self._made += 1
        name = f"asked-{os.getpid()}-{self._made}"
        body: dict[str, Any] = {"secret_name": name, "secret_value": secret, "provider": provider}
        made = self._post("secrets/create", body | {"auth_config": auth})
        if made.status != 200:
            return made
        number = made.json()["secret"]["secret_id"]
        about = {"name": name, "secret_id": number, "provider": provider, "model_name": model}
        made = self._post("model-definitions/create", about)
        number = made.json()["model_definition"]["model_definition_id"]
        configs = [{"model_definition_id": number, "linkage_type": "PRIMARY", "weight": 1}]
        made = self._post("endpoints/create", {"name": name, "model_configs": configs})
        assert made.status == 200, made
        return self._ask(Request.of("POST", f"/gateway/{name}/mlflow/invocations", CHAT))

    def update(self, provider: str) -> dict[str, int]:
        """Statuses of changes of a secret of one's own, as of who may edit another's."""
        name, there = f"updated-{os.getpid()}", {"api_base": provider, "api_version": "1"}
        body = {"secret_name": name, "secret_value": {"api_key": "k"}, "provider": "openai", "auth_config": there}
        number = self._post("secrets/create", body).json()["secret"]["secret_id"]
        changes: Mapping[str, dict[str, Any]] = {
            "another address": {"auth_config": {**there, "api_base": f"{provider}/2"}},
            "the provider's address": {"auth_config": {"api_version": "2"}},
            "a blank address": {"auth_config": {"api_base": " "}},
            "another version": {"auth_config": {**there, "api_version": "2"}},
            "another key": {"secret_value": {"api_key": "l"}},
            "both": {"auth_config": {"api_base": f"{provider}/2"}, "secret_value": {"api_key": "m"}},
        }
        return {
            what: self._post("secrets/update", {"secret_id": number, **change}).status
            for what, change in changes.items()
        }

    def _post(self, path: str, body: Any) -> Answer:
        return self._ask(Request.of("POST", f"{GATEWAY}/{path}", body))

    def _ask(self, request: Request) -> Answer:
        return self._application.ask(request, *self._user.credentials)


def main() -> None:
    """Which attacks were not refused, what the provider heard of them, and what a member's own keys get."""
    application, (provider, heard) = Application(), start_provider()
    asking = Asking(application, User("bert", (basic("bert", json.loads(sys.argv[2])["bert"]),)))
    file, wrong = mount_google_key(f"{provider}/server"), []
    for name, *parts in attacks(provider, file):
        before, answer = len(heard), asking.call(*parts)
        if answer.status != 400 or heard[before:]:
            wrong.append([name, answer.status, answer.text[:200], heard[before:]])
    own: dict[str, Any] = {name: asking.call(*parts).status for name, *parts in served(provider)}
    own["vertex"] = vertex_problem()
    print(json.dumps({"wrong": wrong, "own": own, "updates": asking.update(provider)}))


if __name__ == "__main__":
    main()
