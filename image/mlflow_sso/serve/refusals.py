"""Counts refused requests by reason, for the metrics of all workers."""

from collections.abc import Callable

Count = Callable[[str, int], None]

BY_STATUS = {401: "login", 403: "permission"}
"""Reasons of answers that come from behind ``Admission``, whoever gives them."""


class Refusals:
    """The counter of a process; it counts nothing until ``expose`` was called."""

    def __init__(self) -> None:
        self._count: Count = lambda reason, status: None

    def expose(self) -> None:
        """Count from now on in ``mlflow_sso_refused_requests_total``."""
        # Only programs that use prometheus_client spend the time of its import.
        from prometheus_client import Counter

        counter = Counter(
            "mlflow_sso_refused_requests", "Requests that were refused, by reason and status", ["reason", "status"]
        )
        self._count = lambda reason, status: counter.labels(reason=reason, status=str(status)).inc()

    def count(self, reason: str, status: int) -> None:
        """Count one; ``reason`` is one of a few."""
        self._count(reason, status)

    def count_answer(self, status: int) -> None:
        """Count an answer if its status is a refusal."""
        if status in BY_STATUS:
            self._count(BY_STATUS[status], status)


refusals = Refusals()
