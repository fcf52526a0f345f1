"""A browser without pages: keeps cookies, follows redirects, and fills in Keycloak's form of login."""

import html
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import httpx

from live.users import User
from testbed.system import System

FORM = re.compile(r'<form[^>]+id="kc-form-login"[^>]+action="([^"]+)"')
CURRENT_USER = {
    "3.6.0": "/api/2.0/mlflow/permissions/users/current",
    "3.17.2": "/api/2.0/mlflow/users/current",
}
KEY_PATHS = {
    "3.6.0": "/api/2.0/mlflow/permissions/users/access-token",
    "3.17.2": "/api/2.0/mlflow/users/access-token",
}


@dataclass(kw_only=True)
class WebSession:
    """Somebody at the public address; ``client`` is httpx's, with the address as its base and a session's cookies."""

    system: System
    client: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # As a person would who meets a page that does not load.
        self.client = self.system.client(follow_redirects=True, retries=3)

    def log_in(self, user: User) -> httpx.Response:
        """From the login link through Keycloak's form; the answer to the last redirect."""
        page = self.client.get("/login")
        found = FORM.search(page.text)
        assert found, f"no login form at {page.url}: {page.status_code}"
        # The page holds the address as HTML, in which each & is escaped.
        return self.client.post(html.unescape(found[1]), data={"username": user.name, "password": user.password})

    def make_key(self, user: User) -> str:
        """A fresh access key of the user who is logged in."""
        expiration = (datetime.now(UTC) + timedelta(days=30)).isoformat()
        answer = self.client.patch(
            KEY_PATHS[self.system.settings.release], json={"username": user.email, "expiration": expiration}
        )
        answer.raise_for_status()
        return str(answer.json()["token"])

    def whoami(self) -> dict[str, Any]:
        """What MLflow knows of the user who is logged in."""
        answer = self.client.get(CURRENT_USER[self.system.settings.release]).raise_for_status()
        known: dict[str, Any] = answer.json()
        return known

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()


def with_key(system: System, user: User, key: str) -> httpx.Client:
    """A client that shows an access key, as MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD do."""
    return system.client(auth=(user.email, key))
