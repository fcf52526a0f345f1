"""Moves the grants of a model that is renamed, also if only users, or only groups, have some.

mlflow-oidc-auth 5.6.1 raises if no user has a grant, before it moves those of groups, which then hold for the next
model of the old name; and if no group has one, so that a rename that was done is answered with 404.
"""

from functools import wraps
from typing import Any


def move_grants_that_exist() -> None:
    """Let neither of the two moves need rows."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.exceptions import MlflowException
    from mlflow_oidc_auth.repository import registered_model_permission, registered_model_permission_group

    def moving(rename: Any) -> Any:
        @wraps(rename)
        def moved(*arguments: Any, **named: Any) -> None:
            try:
                rename(*arguments, **named)
            except MlflowException as error:
                if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                    raise

        return moved

    for repository in (
        registered_model_permission.RegisteredModelPermissionRepository,
        registered_model_permission_group.RegisteredModelPermissionGroupRepository,
    ):
        repository.rename = moving(repository.rename)
