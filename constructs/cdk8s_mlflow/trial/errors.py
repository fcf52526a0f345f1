"""What keeps the environment from being tried.

TrialError
    a command of kubectl or of the bootstrap failed, or the namespace belongs to something else
"""


class TrialError(Exception):
    """It cannot be applied or removed; the text says why and what to do."""
