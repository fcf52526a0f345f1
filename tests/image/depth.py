"""How much a test does: less where `.ci/run` tries a change than in a run of everything."""

import os


def sized(*, change: int, every: int) -> int:
    """The number for a run of that depth; without `.ci/run` it is that of everything."""
    return change if os.environ.get("DEPTH") == "change" else every
