"""Reading environment variables."""

from collections.abc import Mapping

ON = ("true", "1", "yes", "on")
SWITCH_WORDS = (*ON, "false", "0", "no", "off")
"""What a switch may hold, in small letters; of every other word it would be off."""


def switched_on(variables: Mapping[str, str], name: str) -> bool:
    """Whether the switch ``name`` is on, as it is by default, also if it is empty."""
    return (variables.get(name) or "true").lower() in ON
