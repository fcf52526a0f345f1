"""What an answer of the realm must be to be believed: the plugins keep any JSON as its keys, for up to an hour."""

from typing import Any


def require_realm_document(answer: Any) -> Any:
    """``answer``, of requests, if it is a discovery document or a set of keys; raises ``requests.RequestException``."""
    # Only programs that use requests spend the time of its import.
    import requests

    if answer.status_code != 200:
        raise requests.HTTPError(f"the realm answers {answer.status_code}", response=answer)
    found = answer.json()
    if not has_keys(found) and not (isinstance(found, dict) and isinstance(found.get("jwks_uri"), str)):
        raise requests.exceptions.InvalidJSONError("the realm's answer is no discovery document and no set of keys")
    return answer


def has_keys(found: Any) -> bool:
    """Whether ``found`` is a set of keys (RFC 7517, section 5) with at least one in it."""
    keys = found.get("keys") if isinstance(found, dict) else None
    return isinstance(keys, list) and bool(keys) and all(isinstance(key, dict) for key in keys)


def forget_unless_keys(client: Any, found: Any) -> Any:
    """``found``, which ``client`` of authlib has kept as the realm's keys; raises ``requests.RequestException``.

    Authlib keeps any JSON for good, and every login after it fails.
    """
    import requests

    if not has_keys(found):
        client.server_metadata.pop("jwks", None)
        raise requests.exceptions.InvalidJSONError("the realm's answer is no set of keys")
    return found
