"""Reads ``"false"`` as false when an administrator creates a user.

mlflow-oidc-auth 5.6.1 takes any text for true, so that ``"is_admin": "false"`` created an administrator.
"""

from typing import Any

FLAGS = frozenset({"is_admin", "is_service_account"})


def read_text_flags() -> None:
    """Change how the plugin's pages of users read their flags."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from mlflow_oidc_auth.views import user

    read = user.get_optional_request_param

    def flag_or_text(name: str) -> Any:
        value = read(name)
        return value.strip().lower() == "true" if name in FLAGS and isinstance(value, str) else value

    user.get_optional_request_param = flag_or_text
