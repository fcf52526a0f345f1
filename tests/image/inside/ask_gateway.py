"""Asks every route of the AI gateway as every role; writes what was served against the table, as JSON.

Arguments: the root of the Secrets, the access keys by user name, this name, grace's tokens as JSON (that of our client,
and that of another), and what is asked: ``roles``, ``addresses``, or ``off`` where the gateway is off.
"""

import json
import sys
from typing import Any

import ask_every_route
import matrix
from application import Answer, Request, basic
from ask_every_route import NAMES, ROLES, Matrix, refuse_at_once
from gateway_world import GATEWAY, GatewayWorld, start_provider
from matrix import Case, cases
from world import User, World

from mlflow_sso.authorization.release_3_17_2.gateway import gateway_routes
from mlflow_sso.authorization.rules import Kind

matrix.NAMES |= {
    Kind.GATEWAY_ENDPOINT: "gateway_endpoint",
    Kind.GATEWAY_SECRET: "gateway_secret",
    Kind.GATEWAY_MODEL_DEFINITION: "gateway_model_definition",
}
ask_every_route.STRICTER |= {
    # Pages for those who may use an endpoint, whichever.
    "GET /mlflow/gateway/supported-providers",
    "GET /mlflow/gateway/supported-models",
    "GET /mlflow/gateway-proxy",
    # A path of MLflow's older gateway, which no setting names.
    "POST /mlflow/gateway-proxy",
}
LEVELS = ("READ", "USE", "EDIT", "MANAGE")
CHAT = {"messages": [{"role": "user", "content": "a question"}]}
HOSTS = ("127.0.0.1:9", "169.254.169.254", "[::1]:9", "localhost:9", "10.96.0.1", "[::ffff:127.0.0.1]", "0x7f000001")
ADDRESSES = ("file:///etc/passwd", *(f"{scheme}://{host}" for scheme in ("http", "https") for host in HOSTS))


class GatewayMatrix(Matrix):
    """Of these routes; ``told`` names the requests whose answers show a provider's key."""

    def __init__(self, keys: dict[str, str], tokens: dict[str, str]) -> None:
        super().__init__(gateway_routes(enabled=True), keys, tokens)
        self.provider, self.heard = start_provider()
        self.told: list[str] = []
        self._secret = ""

    def new_world(self) -> World:
        """With an endpoint."""
        world = GatewayWorld(self._application, self._owner, provider=self.provider)
        self._secret = world.secret
        return world

    def world(self, role: str) -> World:
        """A new world, of which the user in ``role`` has the level, and so of its endpoint."""
        world: Any = super().world(role)
        if role not in ("anonymous", "no grant", "administrator"):
            world.grant_gateway(self._users["administrator"], self._users[role], role if role in LEVELS else "MANAGE")
        return world  # type: ignore[no-any-return]

    def ask(self, role: str, case: Case) -> Answer:
        """The key of a provider is written, and never read again."""
        answer = super().ask(role, case)
        if self._secret in answer.text:
            self.told.append(f"{role}: {case.name}")
        return answer

    def refused(self, role: str, world: World) -> list[str]:
        """Whoever is refused reaches no provider, either."""
        asked = len(self.heard)
        return [
            *super().refused(role, world),
            *(f"{role}: the provider heard {path}" for path, _ in self.heard[asked:]),
        ]

    def calls(self) -> dict[str, list[Any]]:
        """What each role hears that asks the endpoint, and with which key the provider is asked."""
        found = {}
        for role in ROLES:
            world, asked = self.world(role), len(self.heard)
            path = f"/gateway/{world.names['gateway_endpoint_name']}/mlflow/invocations"
            answer = self._application.ask(Request.of("POST", path, CHAT), *self._users[role].credentials)
            keys = [key == f"Bearer {world.secret}" for _, key in self.heard[asked:]]
            found[role] = [answer.status, "an answer" in answer.text, keys]
        return found

    def addresses(self) -> list[Any]:
        """What a member hears who names an address inside the cluster as that of a provider."""
        return [[address, self._create(f"s{number}", address).status] for number, address in enumerate(ADDRESSES)]

    def _create(self, name: str, address: str) -> Answer:
        body = {"secret_name": name, "secret_value": {"api_key": "k"}, "provider": "openai"}
        request = Request.of("POST", f"{GATEWAY}/secrets/create", body | {"auth_config": {"api_base": address}})
        return self._application.ask(request, *self._users["no grant"].credentials)

    def roles(self) -> dict[str, Any]:
        """All of it."""
        calls = self.calls()
        lines = [line for role in ROLES for line in self.wrong(role)]
        return {"lines": lines, "asked": self.asked, "calls": calls, "told": self.told}


def ask_switched_off(keys: dict[str, str]) -> list[Any]:
    """The requests that an administrator is served nonetheless."""
    every = Matrix(gateway_routes(enabled=True), keys, {"ours": "", "others": ""})
    user = User(NAMES["administrator"], (basic(NAMES["administrator"], keys[NAMES["administrator"]]),))
    answers = [
        (case.name, every._application.ask(case.request, *user.credentials))
        for route in gateway_routes(enabled=True)
        for case in cases(route, {}, {}, every_path=True)
    ]
    return [[name, answer.status, answer.text[:200]] for name, answer in answers if answer.status != 403]


if __name__ == "__main__":
    refuse_at_once()
    known, tokens, what = json.loads(sys.argv[2]), json.loads(sys.argv[4]), sys.argv[5]
    if what == "off":
        print(json.dumps(ask_switched_off(known)))
    else:
        print(json.dumps(getattr(GatewayMatrix(known, tokens), what)()))
