"""The work of External Secrets: an ExternalSecret in, the data of its Secret out."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from live.cluster.objects import Unsupported

Fetch = Callable[[str, str], str]
"""The value of a property of a key of the store."""

_PLACEHOLDER = re.compile(r"\{\{ \.(\w+) \}\}")


def secret_data(external_secret: Mapping[str, Any], fetch: Fetch) -> dict[str, str]:
    """The data of the Secret that the object asks for.

    Raises:
        Unsupported: its template does more than name fields.
    """
    spec = external_secret["spec"]
    fields = {
        item["secretKey"]: fetch(item["remoteRef"]["key"], item["remoteRef"]["property"]) for item in spec["data"]
    }
    template = spec["target"].get("template", {}).get("data")
    return fields if template is None else {key: _rendered(text, fields) for key, text in template.items()}


def _rendered(text: str, fields: Mapping[str, str]) -> str:
    if "{{" in _PLACEHOLDER.sub("", text):
        raise Unsupported(f"a template does more than name fields: {text}")
    return _PLACEHOLDER.sub(lambda match: fields[match.group(1)], text)
