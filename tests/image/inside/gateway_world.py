"""What a user keeps in the AI gateway: a provider's key, a definition and an endpoint, and who was granted what."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from application import Application
from world import MLFLOW, THIRD, User, World

GATEWAY = f"{THIRD}/gateway"
ANSWER = (
    b'{"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "message": '
    b'{"role": "assistant", "content": "an answer"}, "finish_reason": "stop"}], '
    # Also the answer of a provider that gives tokens.
    b'"access_token": "given", "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}'
)


class Provider(BaseHTTPRequestHandler):
    """A model provider, which answers everything alike and remembers what it was asked with which key."""

    heard: list[tuple[str, str]]

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.heard.append((self.path, self.headers.get("authorization", "")))
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def start_provider() -> tuple[str, list[tuple[str, str]]]:
    """Its address, and what it will have heard."""
    heard: list[tuple[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Heard", (Provider,), {"heard": heard}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/v1", heard


class GatewayWorld(World):
    """A world with an endpoint; ``names`` has the ids, and the names under the same keys with ``_name``."""

    def __init__(self, application: Application, owner: User, *, provider: str) -> None:
        super().__init__(application, owner)
        name = self.mark
        secret = self._post(
            f"{GATEWAY}/secrets/create",
            secret_name=name,
            secret_value={"api_key": self.secret},
            provider="openai",
            auth_config={"api_base": provider},
        )["secret"]["secret_id"]
        model = {"secret_id": secret, "provider": "openai", "model_name": "m"}
        made = self._post(f"{GATEWAY}/model-definitions/create", name=name, **model)
        definition = made["model_definition"]["model_definition_id"]
        configs = [{"model_definition_id": definition, "linkage_type": "PRIMARY", "weight": 1}]
        made = self._post(
            f"{GATEWAY}/endpoints/create", name=name, model_configs=configs, experiment_id=self.names["experiment"]
        )
        self.names |= {
            "gateway_secret": secret,
            "gateway_model_definition": definition,
            "gateway_endpoint": made["endpoint"]["endpoint_id"],
            **{f"gateway_{kind}_name": name for kind in ("secret", "model_definition", "endpoint")},
        }

    def grant_gateway(self, administrator: User, user: User, permission: str) -> None:
        """Only administrators do that."""
        body: dict[str, Any] = {"permission": permission}
        for kind in ("secrets", "model-definitions", "endpoints"):
            path = f"{MLFLOW}/permissions/users/{user.email}/gateways/{kind}/{self.mark}"
            self._post_as(administrator, path, **body)
