"""Prometheus of Debian's package, scraping what it is told to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode
from urllib.request import urlopen

from live.servers.cache import debian_program
from live.servers.process import Server, answers


@dataclass(kw_only=True)
class Prometheus(Server):
    """Scrapes ``targets`` (labels by HOST:PORT) and evaluates ``groups`` of rules every second."""

    name: ClassVar[str] = "prometheus"

    targets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    groups: Sequence[Mapping[str, Any]] = ()
    """As a PrometheusRule has them."""

    @property
    def url(self) -> str:
        """Address of its API."""
        return f"http://127.0.0.1:{self.port}"

    def prepare(self) -> Sequence[str]:
        """Write its configuration, as JSON, which is YAML too."""
        static = [{"targets": [target], "labels": dict(labels)} for target, labels in self.targets.items()]
        jobs = [{"job_name": "mlflow", "static_configs": static}]
        # Rules need two samples at least, for which a test should not wait half a minute.
        settings = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        configuration, rules = self.folder / "prometheus.json", self.folder / "rules.json"
        rules.write_text(json.dumps({"groups": self.groups}))
        configuration.write_text(json.dumps({"global": settings, "scrape_configs": jobs, "rule_files": [str(rules)]}))
        return [
            str(debian_program("prometheus", package="prometheus")),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={self.folder / 'samples'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]

    def ready(self) -> bool:
        """Whether it takes queries."""
        return answers(f"{self.url}/-/ready")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query."""
        return self._ask("query", query=expression)

    def query_range(self, expression: str, *, start: int, end: int) -> list[dict[str, Any]]:
        """The samples of each second from ``start`` to ``end``, both in seconds since 1970."""
        return self._ask("query_range", query=expression, start=start, end=end, step=1)

    def _ask(self, path: str, **parameters: str | int) -> list[dict[str, Any]]:
        with urlopen(f"{self.url}/api/v1/{path}?{urlencode(parameters)}") as answer:  # noqa: S310
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    def firing(self) -> set[str]:
        """Names of the alerts that fire now."""
        return {sample["metric"]["alertname"] for sample in self.query('ALERTS{alertstate="firing"}')}
