"""What became of changed Secrets, as metrics of the metrics port."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal

Result = Literal["at_once", "replaced", "refused", "failed"]
RESULTS: tuple[Result, ...] = ("at_once", "replaced", "refused", "failed")


class Outcomes:
    """A collector of ``prometheus_client``."""

    def __init__(self) -> None:
        self._counts: Counter[Result] = Counter()
        self.in_use = True
        """Whether all workers have the values that are mounted."""
        self.used_at = 0.0
        """When the latest look began that found all that is mounted in use; seconds since 1970."""

    def count(self, result: Result) -> None:
        """Note an end."""
        self._counts[result] += 1

    def describe(self) -> Iterable[Any]:
        """Nothing: the names are known once it is collected."""
        return ()

    def collect(self) -> Iterator[Any]:
        """The counts since the start of the container, and two gauges."""
        # Only programs that use prometheus_client spend the time of its import.
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        counter = CounterMetricFamily(
            "mlflow_sso_secrets_reloaded", "Changes of mounted Secrets, by what became of them.", labels=["result"]
        )
        for result in RESULTS:
            counter.add_metric([result], self._counts[result])
        yield counter
        yield GaugeMetricFamily(
            "mlflow_sso_secrets_in_use", "Whether all workers use the mounted Secrets.", value=float(self.in_use)
        )
        yield GaugeMetricFamily(
            "mlflow_sso_secrets_used_timestamp_seconds",
            "When the latest look began that found all workers using the mounted Secrets.",
            value=self.used_at,
        )
