"""Reading environment variables."""

from collections.abc import Mapping


def switched_on(variables: Mapping[str, str], name: str) -> bool:
    """Whether the switch ``name`` is on, as it is by default."""
    return variables.get(name, "true").lower() in ("true", "1", "yes", "on")
