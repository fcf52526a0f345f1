"""Bounds what mlflow-oidc-auth 5.6.1 asks the realm: it waits for ever, and keeps an error page as keys for an hour."""

from typing import Any

from mlflow_sso.patches.realm_requests import forget_unless_keys, require_realm_document

TIMEOUT_SECONDS = 10


class Requests:
    """In place of ``requests`` in the plugin's ``auth``."""

    @staticmethod
    def get(url: str) -> Any:
        """Raises ``requests.RequestException`` for everything but a good answer in time."""
        # Only programs that use requests spend the time of its import.
        import requests

        return require_realm_document(requests.get(url, timeout=TIMEOUT_SECONDS))


def bound_realm_requests() -> None:
    """Change the module that reads keys, and every session of requests that names no time-out, as authlib's."""
    # The plugin reads its settings when it is imported, so not before serve has set them.
    from authlib.integrations.base_client.sync_openid import OpenIDMixin
    from mlflow_oidc_auth import auth
    from requests import adapters

    auth.requests = Requests
    adapter: Any = adapters.HTTPAdapter
    send = adapter.send

    def send_in_time(self: Any, request: Any, stream: bool = False, timeout: Any = None, **options: Any) -> Any:
        return send(self, request, stream=stream, timeout=timeout or TIMEOUT_SECONDS, **options)

    adapter.send = send_in_time

    client: Any = OpenIDMixin
    fetch = client.fetch_jwk_set
    client.fetch_jwk_set = lambda self, force=False: forget_unless_keys(self, fetch(self, force))
