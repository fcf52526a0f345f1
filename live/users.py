"""Users of the realm to try the system with: one for each group, and one in none."""

import secrets
from dataclasses import dataclass, field

from keycloak import KeycloakAdmin

from cdk8s_mlflow.settings import Settings
from live.servers import Keycloak


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user who can log in to Keycloak."""

    name: str
    group: str | None
    password: str = field(default_factory=lambda: secrets.token_urlsafe(9), repr=False)

    @property
    def email(self) -> str:
        """What MLflow calls the user."""
        return f"{self.name}@example.com"


def first_users(settings: Settings) -> list[User]:
    """An administrator, a user, and one who is refused."""
    authentication = settings.authentication
    groups = {"admin": authentication.admin_group, "user": authentication.user_group, "outsider": None}
    return [User(name=name, group=group) for name, group in groups.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """The realm of the settings, with an administrator's rights."""

    settings: Settings
    server: Keycloak

    @property
    def administration(self) -> KeycloakAdmin:
        """A session of python-keycloak in the realm."""
        return self.server.administration(self.settings.authentication.realm)

    def welcome(self, *users: User) -> None:
        """Make users that are not there, and give all the password that they bring."""
        administration = self.administration
        for user in users:
            number = administration.create_user(_representation(user), exist_ok=True)
            administration.set_user_password(number, user.password, temporary=False)


def _representation(user: User) -> dict[str, object]:
    return {
        "username": user.name,
        "email": user.email,
        "emailVerified": True,
        "enabled": True,
        "firstName": user.name.capitalize(),
        "lastName": "Example",
        "groups": [user.group] if user.group else [],
    }
