"""How much a test does: less where `.ci/run` tries a change than in a run of everything."""

import os

IS_CHANGE = os.environ.get("DEPTH") == "change"


def sized(*, change: int, every: int) -> int:
    """The number for a run of that depth; without `.ci/run` it is that of everything."""
    return change if IS_CHANGE else every
