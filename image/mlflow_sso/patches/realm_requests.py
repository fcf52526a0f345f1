"""What an answer of the realm must be to be believed: the plugins keep any JSON as its keys, for up to an hour."""

from typing import Any


def require_realm_document(answer: Any) -> Any:
    """``answer``, of requests, if it is a discovery document or a set of keys; raises ``requests.RequestException``."""
    # Only programs that use requests spend the time of its import.
    import requests

    if answer.status_code != 200:
        raise requests.HTTPError(f"the realm answers {answer.status_code}", response=answer)
    found = answer.json()
    keys = found.get("keys") if isinstance(found, dict) else None
    has_keys = isinstance(keys, list) and bool(keys) and all(isinstance(key, dict) for key in keys)
    if not has_keys and not (isinstance(found, dict) and isinstance(found.get("jwks_uri"), str)):
        raise requests.exceptions.InvalidJSONError("the realm's answer is no discovery document and no set of keys")
    return answer
