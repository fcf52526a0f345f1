"""A realm of a real Keycloak with our clients and another's, its users, and their way through the login page."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import httpx
from pod import Pod
from serving import SERVER_SECRETS, SETTINGS, Serving, mount_server_secrets

from live.servers import Keycloak
from live.servers.process import free_port

NAME = "mlflow"
GROUP = "mlflow-users"

MAPPER = {
    "name": "groups",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-group-membership-mapper",
    "config": {
        "full.path": "true",
        "claim.name": "groups",
        "id.token.claim": "true",
        "access.token.claim": "true",
        "userinfo.token.claim": "true",
    },
}

AUDIENCE = {
    "name": "audience",
    "protocol": "openid-connect",
    "protocolMapper": "oidc-audience-mapper",
    "config": {"included.client.audience": "mlflow", "access.token.claim": "true", "id.token.claim": "false"},
}

MACHINES = "mlflow-machines"
DIRECTORY = "mlflow-directory"
OTHERS = "dashboards"
"""A client of another team, whose tokens have another audience."""

MEMBERS = {
    "grace": [f"/{GROUP}"],
    "ada": ["/mlflow-admins"],
    # Of groups with the same names deeper in the tree, which must count for nothing.
    "mallory": ["/contractors/mlflow-admins", "/contractors/mlflow-users"],
    "tess": [f"/{GROUP}/team"],
}
"""Users and their groups."""

MACHINE_USER = {
    "username": f"service-account-{MACHINES}",
    "serviceAccountClientId": MACHINES,
    "email": f"{MACHINES}@example.com",
    "firstName": MACHINES,
    "enabled": True,
    "groups": [f"/{GROUP}"],
}

DIRECTORY_USER = {
    "username": f"service-account-{DIRECTORY}",
    "serviceAccountClientId": DIRECTORY,
    "enabled": True,
    "clientRoles": {"realm-management": ["query-groups", "query-users", "view-users"]},
}


@dataclass(frozen=True, kw_only=True)
class Realm:
    """The realm ``mlflow``; the browser's user is ``grace@example.com`` of the group ``mlflow-users``."""

    keycloak: Keycloak
    email: str = "grace@example.com"
    password: str = "grace's password"

    @property
    def discovery_url(self) -> str:
        return f"{self.keycloak.url}/realms/{NAME}/.well-known/openid-configuration"

    @property
    def public_key(self) -> str:
        """Of its tokens' signatures, in base64."""
        with self.client() as http:
            return str(http.get(f"{self.keycloak.url}/realms/{NAME}").raise_for_status().json()["public_key"])

    def client(self) -> httpx.Client:
        """A browser without pages, which trusts Keycloak's certificate and keeps cookies."""
        return httpx.Client(verify=self.keycloak.certificate.context(), timeout=60)

    def serving(self, pod: Pod, **settings: str) -> Serving:
        """The server of a pod with migrated databases, whose users log in here; it has yet to start."""
        mount_server_secrets(pod)
        (pod.secrets_root / "ca").mkdir(exist_ok=True)
        (pod.secrets_root / "ca/ca.crt").write_bytes(self.keycloak.certificate.ca.read_bytes())
        port = free_port()
        return Serving(pod=replace(pod, settings={**self.login_settings(port), **settings}), port=port)

    def login_settings(self, port: int) -> dict[str, str]:
        """What a server at ``port`` is told, so that its users log in here."""
        return {
            **SETTINGS,
            "OIDC_DISCOVERY_URL": self.discovery_url,
            "OIDC_REDIRECT_URI": f"http://127.0.0.1:{port}/callback",
            "OIDC_SCOPE": "openid profile email",
            "OIDC_GROUP_NAME": f"mlflow-admins,{GROUP}",
            "OIDC_ADMIN_GROUP_NAME": "mlflow-admins",
        }

    def create(self) -> None:
        with self.administrator() as admin:
            admin.post("/admin/realms", json=self._representation()).raise_for_status()

    @contextmanager
    def administrator(self) -> Iterator[httpx.Client]:
        """The first administrator of Keycloak, logged in."""
        login = {"grant_type": "password", "client_id": "admin-cli"}
        login |= {"username": self.keycloak.admin_user, "password": self.keycloak.admin_password}
        with self.client() as admin:
            admin.base_url = httpx.URL(self.keycloak.url)
            token = admin.post("/realms/master/protocol/openid-connect/token", data=login).raise_for_status().json()
            admin.headers["Authorization"] = f"Bearer {token['access_token']}"
            yield admin

    @contextmanager
    def addresses_spelt(self, email: str) -> Iterator[None]:
        """Every token and login of the client ``mlflow`` has ``email``; Keycloak itself keeps small letters."""
        claim = {"claim.name": "email", "claim.value": email, "jsonType.label": "String"}
        tokens = {"id.token.claim": "true", "access.token.claim": "true", "userinfo.token.claim": "true"}
        mapper = {
            "name": "spelling",
            "protocol": "openid-connect",
            "protocolMapper": "oidc-hardcoded-claim-mapper",
            "config": claim | tokens,
        }
        with self.administrator() as admin:
            found = admin.get(f"/admin/realms/{NAME}/clients", params={"clientId": "mlflow"}).json()
            url = f"/admin/realms/{NAME}/clients/{found[0]['id']}/protocol-mappers/models"
            created = admin.post(url, json=mapper).raise_for_status()
        try:
            yield
        finally:
            # A token of Keycloak's administrator lasts a minute.
            with self.administrator() as admin:
                admin.delete(created.headers["location"]).raise_for_status()

    @contextmanager
    def client_secret(self, value: str) -> Iterator[None]:
        """The client ``mlflow`` has another secret."""
        try:
            self._set_client_secret(value)
            yield
        finally:
            self._set_client_secret(SERVER_SECRETS["oidc/OIDC_CLIENT_SECRET"])

    def _set_client_secret(self, value: str) -> None:
        with self.administrator() as admin:
            found = admin.get(f"/admin/realms/{NAME}/clients", params={"clientId": "mlflow"}).json()[0]
            url = f"/admin/realms/{NAME}/clients/{found['id']}"
            admin.put(url, json=found | {"secret": value}).raise_for_status()

    def add_user(self, name: str, *groups: str) -> str:
        """A user who can log in; gives the id."""
        with self.administrator() as admin:
            admin.post(f"/admin/realms/{NAME}/users", json=self._user(name, list(groups))).raise_for_status()
            found = admin.get(f"/admin/realms/{NAME}/users", params={"username": name, "exact": "true"}).json()
        return str(found[0]["id"])

    def change_user(self, key: str, **changes: object) -> None:
        """Set fields of a user."""
        with self.administrator() as admin:
            url = f"/admin/realms/{NAME}/users/{key}"
            admin.put(url, json=admin.get(url).json() | changes).raise_for_status()

    def leave_groups(self, key: str) -> None:
        """Take a user out of all groups."""
        with self.administrator() as admin:
            url = f"/admin/realms/{NAME}/users/{key}/groups"
            for group in admin.get(url).json():
                admin.delete(f"{url}/{group['id']}").raise_for_status()

    def delete_user(self, key: str) -> None:
        """Delete a user."""
        with self.administrator() as admin:
            admin.delete(f"/admin/realms/{NAME}/users/{key}").raise_for_status()

    def _representation(self) -> dict[str, object]:
        return {
            "realm": NAME,
            "enabled": True,
            "groups": [
                {"name": GROUP, "subGroups": [{"name": "team"}]},
                {"name": "mlflow-admins"},
                {"name": "contractors", "subGroups": [{"name": "mlflow-admins"}, {"name": GROUP}]},
            ],
            "clients": self._clients(),
            "users": [
                *(self._user(name, groups) for name, groups in MEMBERS.items()),
                MACHINE_USER,
                DIRECTORY_USER,
            ],
        }

    def _clients(self) -> list[dict[str, object]]:
        # Direct grants give tests their tokens without a browser; bootstrap creates clients without them.
        secret = {"secret": SERVER_SECRETS["oidc/OIDC_CLIENT_SECRET"], "directAccessGrantsEnabled": True}
        # Each server of a test has another free port.
        browser = {"redirectUris": ["http://127.0.0.1:*"], "protocolMappers": [MAPPER, AUDIENCE]}
        machines = {"serviceAccountsEnabled": True, "protocolMappers": [MAPPER, AUDIENCE]}
        return [
            {"clientId": SERVER_SECRETS["oidc/OIDC_CLIENT_ID"], **secret, **browser},
            {"clientId": MACHINES, **secret, **machines},
            # Its tokens end while a test waits.
            {"clientId": "short", **secret, **machines, "attributes": {"access.token.lifespan": "5"}},
            {"clientId": DIRECTORY, **secret, "serviceAccountsEnabled": True},
            {"clientId": OTHERS, **secret, "protocolMappers": [MAPPER]},
        ]

    def _user(self, name: str, groups: list[str]) -> dict[str, object]:
        return {
            "username": name,
            "email": f"{name}@example.com",
            "emailVerified": True,
            # Keycloak asks for a profile that is not whole, and logs no user in before.
            "firstName": name.capitalize(),
            "lastName": "Hopper",
            "enabled": True,
            "groups": groups,
            "credentials": [{"type": "password", "value": self.password}],
        }

    def tokens(self, user: str = "grace", *, client: str = "mlflow") -> dict[str, str]:
        """Access, ID and refresh token of a user, from one of the clients."""
        form = {"grant_type": "password", "username": user, "password": self.password, "scope": "openid"}
        form |= {"client_id": client, "client_secret": SERVER_SECRETS["oidc/OIDC_CLIENT_SECRET"]}
        with self.client() as http:
            answer = http.post(f"{self.keycloak.url}/realms/{NAME}/protocol/openid-connect/token", data=form)
        found: dict[str, str] = answer.raise_for_status().json()
        return found

    def machine_token(self) -> str:
        """An access token that the machines' client gets for itself."""
        form = {"grant_type": "client_credentials", "client_id": MACHINES}
        form |= {"client_secret": SERVER_SECRETS["oidc/OIDC_CLIENT_SECRET"]}
        with self.client() as http:
            url = f"{self.keycloak.url}/realms/{NAME}/protocol/openid-connect/token"
            return str(http.post(url, data=form).raise_for_status().json()["access_token"])

    def log_in(self, browser: httpx.Client, url: str, user: str = "grace") -> httpx.Response:
        """Open the server's ``/login``, fill in Keycloak's form, and come back to where it leads."""
        form = browser.get(f"{url}/login", follow_redirects=True).raise_for_status().text
        action = re.search(r'action="([^"]+)"', form)
        assert action, form
        login = {"username": user, "password": self.password}
        return browser.post(html.unescape(action[1]), data=login, follow_redirects=True)
