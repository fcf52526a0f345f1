"""Keeps who may edit a secret of the AI gateway from having its key sent to another address, and so from reading it.

A key is written and never shown, also to who may edit it; MLflow changes where it is sent to without asking for it
(mlflow/store/tracking/gateway/sqlalchemy_mixin.py, ``update_gateway_secret``).
"""

import json
from functools import wraps
from typing import Any


def send_keys_where_they_were_meant_for() -> None:
    """Change MLflow's store in this process."""
    # Importing MLflow takes seconds, which only the server and an upgrade spend.
    from mlflow.exceptions import MlflowException
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    update: Any = SqlAlchemyStore.update_gateway_secret

    @wraps(update)
    def update_with_key(
        self: Any, secret_id: str, secret_value: Any = None, auth_config: Any = None, *rest: Any, **named: Any
    ) -> Any:
        is_kept = secret_value is None and auth_config is not None
        if is_kept and _addresses(auth_config) != _addresses(_stored(self, secret_id)):
            raise MlflowException.invalid_parameter_value(
                "the address to which a secret is sent changes with its key only: give secret_value, too"
            )
        return update(self, secret_id, secret_value, auth_config, *rest, **named)

    SqlAlchemyStore.update_gateway_secret = update_with_key


def _stored(store: Any, secret_id: str) -> Any:
    """``auth_config`` of a secret; None if there is none, of which MLflow tells by itself."""
    from mlflow.store.tracking.dbmodels.models import SqlGatewaySecret

    with store.ManagedSessionMaker() as session:
        text = session.query(SqlGatewaySecret.auth_config).filter(SqlGatewaySecret.secret_id == secret_id).scalar()
    return json.loads(text) if text else None


def _addresses(auth_config: Any) -> dict[str, Any]:
    from mlflow.utils.validation import GATEWAY_DESTINATION_KEYS

    return {key: value for key, value in (auth_config or {}).items() if key in GATEWAY_DESTINATION_KEYS and value}
