"""A second user of MinIO, there while the password of the first is renewed: MinIO knows one password a user."""

from dataclasses import dataclass

from mlflow_bootstrap.difference import State
from mlflow_bootstrap.errors import RefusedError
from mlflow_bootstrap.minio.user import User
from mlflow_bootstrap.ownership import Owner, Standing, owner_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondUser(User):
    """Ours if it has our policy, which no one else gives out."""

    def _owner(self, state: State) -> Owner:
        instance = self.store.settings.instance
        return owner_of(instance if state["policy"] else None, instance, setting="artifacts.user")

    def is_there(self) -> bool:
        """Whether an earlier run has left it.

        Raises:
            RefusedError: others have a user of its name.
        """
        found = self.read()
        if found is not None and self._owner(found).standing is not Standing.OURS:
            raise RefusedError(
                f"{self.address} belongs to others, and the renewal needs that name for a while",
                remedy="rename or delete that user, or use --no-wait, with which artifacts fail for a while",
            )
        return found is not None
