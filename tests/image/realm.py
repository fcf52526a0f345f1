"""A realm of a real Keycloak with the client and one user, and her way through the login page."""

import html
import re
from dataclasses import dataclass

import httpx
from serving import SERVER_SECRETS

from live.servers import Keycloak

NAME = "mlflow"
GROUP = "mlflow-users"

MAPPER = {
    "name": "groups",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-group-membership-mapper",
    "config": {
        "full.path": "false",
        "claim.name": "groups",
        "id.token.claim": "true",
        "access.token.claim": "true",
        "userinfo.token.claim": "true",
    },
}


@dataclass(frozen=True, kw_only=True)
class Realm:
    """The realm ``mlflow``, whose user is ``grace@example.com`` of the group ``mlflow-users``."""

    keycloak: Keycloak
    email: str = "grace@example.com"
    password: str = "grace's password"

    @property
    def discovery_url(self) -> str:
        return f"{self.keycloak.url}/realms/{NAME}/.well-known/openid-configuration"

    def client(self) -> httpx.Client:
        """A browser without pages, which trusts Keycloak's certificate and keeps cookies."""
        return httpx.Client(verify=self.keycloak.certificate.context(), timeout=60)

    def create(self) -> None:
        login = {"grant_type": "password", "client_id": "admin-cli"}
        login |= {"username": self.keycloak.admin_user, "password": self.keycloak.admin_password}
        with self.client() as admin:
            token = admin.post(f"{self.keycloak.url}/realms/master/protocol/openid-connect/token", data=login)
            admin.headers["Authorization"] = f"Bearer {token.raise_for_status().json()['access_token']}"
            admin.post(f"{self.keycloak.url}/admin/realms", json=self._representation()).raise_for_status()

    def _representation(self) -> dict[str, object]:
        return {
            "realm": NAME,
            "enabled": True,
            "groups": [{"name": GROUP}],
            "clients": [
                {
                    "clientId": SERVER_SECRETS["oidc/OIDC_CLIENT_ID"],
                    "secret": SERVER_SECRETS["oidc/OIDC_CLIENT_SECRET"],
                    "redirectUris": ["http://127.0.0.1:*"],
                    "protocolMappers": [MAPPER],
                }
            ],
            "users": [
                {
                    "username": "grace",
                    "email": self.email,
                    "emailVerified": True,
                    "firstName": "Grace",
                    "lastName": "Hopper",
                    "enabled": True,
                    "groups": [GROUP],
                    "credentials": [{"type": "password", "value": self.password}],
                }
            ],
        }

    def log_in(self, browser: httpx.Client, url: str) -> httpx.Response:
        """Open the server's ``/login``, fill in Keycloak's form, and come back to where it leads."""
        form = browser.get(f"{url}/login", follow_redirects=True).raise_for_status().text
        action = re.search(r'action="([^"]+)"', form)
        assert action, form
        login = {"username": "grace", "password": self.password}
        return browser.post(html.unescape(action[1]), data=login, follow_redirects=True)
