"""An account of the permissions database, and by what it knows its user of the realm."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user of the permissions database."""

    id: int
    name: str
    is_service_account: bool
    """Whether an administrator of MLflow made it for a program; Keycloak need not know it."""
    identities: frozenset[str] = frozenset()
    """Ids of the realm that the account is bound to; if there are none, its name is what counts."""

    @property
    def marks(self) -> frozenset[str]:
        """What ``directory.marks`` gives for the user of the realm who has this account."""
        return frozenset(map(id_mark, self.identities)) or frozenset((folded(self.name),))


def id_mark(key: str) -> str:
    """Mark of the user with the id ``key`` of the realm."""
    # No address and no name of a service account begins so.
    return f"id:{key}"


def folded(name: str) -> str:
    """A user's name as the plugins store it."""
    return name.strip().lower()
