"""An environment on the node: rendered, prepared by bootstrap.py, delivered by Flux, and used through Traefik."""

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from live.image.archive import take_image
from live.node.environment import Environment
from live.node.node import Node
from live.users import Realm, User
from testbed.node.access import PublicTransport

FORM = re.compile(r'<form[^>]+id="kc-form-login"[^>]+action="([^"]+)"')
KEY_PATHS = {
    "3.6.0": "/api/2.0/mlflow/permissions/users/access-token",
    "3.17.2": "/api/2.0/mlflow/users/access-token",
}

COMMON: Mapping[str, Any] = {
    "cluster": "node",
    # A dozen pods run at a time, and of the default a node of two processors has room for eight.
    "server": {"ca_bundle": {"name": "local-authority"}, "resources": {"cpu_request": "50m"}},
    "delivery": {"tools": ["flux"]},
}
"""Settings of every environment of the tests."""


@dataclass(kw_only=True)
class Deployment(Environment):
    """One environment, and the people and programs that use it."""

    node: Node

    def import_image(self) -> None:
        """Take the image that the settings name into the node."""
        take_image(self.node, self.settings.release, self.settings.image_reference)

    def user(self, name: str) -> User:
        """A user of the group of users, known to Keycloak."""
        user = User(name=name, group=self.settings.authentication.user_group)
        Realm(settings=self.settings, server=self.backing.keycloak).welcome(user)
        return user

    def client(self, *, retries: int = 0, **options: Any) -> httpx.Client:
        """A client at the public address; it tries ``retries`` times more to connect."""
        context = self.backing.certificate.context()
        transport = PublicTransport(self.node.https_port, verify=context, retries=retries)
        return httpx.Client(
            transport=transport,
            base_url=f"https://{self.settings.ingress.host}",
            timeout=120,
            follow_redirects=True,
            **options,
        )

    def access_key(self, user: User) -> str:
        """A fresh access key of ``user``."""
        with self.client() as client:
            log_in(client, user)
            return access_key(client, user, release=self.settings.release)

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Pods of a component that are not ending."""
        selector = f"app.kubernetes.io/component={component}"
        listed = self.node.get("pods", "--namespace", self.namespace, "--selector", selector)["items"]
        return [pod for pod in listed if "deletionTimestamp" not in pod["metadata"]]


def log_in(client: httpx.Client, user: User) -> httpx.Response:
    """Through Keycloak's page."""
    page = client.get("/login")
    form = FORM.search(page.text)
    assert form, f"no login form at {page.url}: {page.status_code} {page.text[:300]}"
    return client.post(html.unescape(form[1]), data={"username": user.name, "password": user.password})


def access_key(client: httpx.Client, user: User, *, release: str) -> str:
    """A fresh access key of ``user``, who has logged in."""
    expiration = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    answer = client.patch(KEY_PATHS[release], json={"username": user.email, "expiration": expiration})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["token"])
