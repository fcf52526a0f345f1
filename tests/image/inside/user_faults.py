"""What mlflow-oidc-auth 11.0.2 does with users where a patch of ours changes it, as ``faults_3_17_2.py`` has it."""

from collections.abc import Callable
from typing import Any


def last_administrator(ask: Callable[..., int]) -> dict[str, Any]:
    """Whether a login is refused that takes the only administrator's rights away."""
    from mlflow.exceptions import MlflowException
    from mlflow_oidc_auth.store import store
    from mlflow_oidc_auth.user import create_user

    store.create_user(username="only@example.com", display_name="Only", is_admin=True)
    try:
        create_user("only@example.com", "Only", is_admin=False, written_by="oidc:default")
    except MlflowException as error:
        return {"refused": "only active administrator" in error.message}
    finally:
        # So that an administrator is left when this one goes.
        store.create_user(username="other@example.com", display_name="Other", is_admin=True)
        store.delete_user("only@example.com")
    return {"refused": False}
