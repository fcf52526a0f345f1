"""Whether Prometheus scrapes the server, and what it alerts on."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from cdk8s_mlflow.alert import INSTANCE_LABEL, runbook
from mlflow_bootstrap.doctor.errors import CannotReadError
from mlflow_bootstrap.doctor.examination import Examination
from mlflow_bootstrap.doctor.line import Line, failed, passed, skipped
from mlflow_bootstrap.doctor.web import Web


def scraped(examined: Examination) -> Iterator[Line]:
    """What the Prometheus at PROMETHEUS_URL has of the server's pods."""
    settings = examined.settings
    if not settings.monitoring.service_monitor:
        return
    given = examined.credentials.given("PROMETHEUS_URL")
    if given is None:
        do = "set PROMETHEUS_URL, such as http://localhost:9090 behind kubectl port-forward"
        yield skipped("metrics", "no Prometheus was named", do=do)
        return
    query = f'up{{namespace="{settings.namespace}",service="{settings.metrics_service}"}}'
    found = [sample["value"][1] for sample in _samples(examined, given.get_secret_value(), query)]
    means = "dashboards are empty, and no alert of MLflow fires"
    if not found:
        do = "compare monitoring.labels with the serviceMonitorSelector of the Prometheus, and its namespaces"
        yield failed("metrics", f"Prometheus has no target {query}", means=means, do=do)
    elif "0" in found:
        do = "compare monitoring.namespace and pod_labels with Prometheus's pods: the NetworkPolicy lets only those in"
        yield failed("metrics", f"{found.count('0')} of {len(found)} pods cannot be scraped", means=means, do=do)
    else:
        yield passed("metrics", f"{len(found)} pods are scraped")


def alerting(examined: Examination) -> Iterator[Line]:
    """The alerts of this environment that fire at the Prometheus at PROMETHEUS_URL."""
    settings = examined.settings
    given = examined.credentials.given("PROMETHEUS_URL")
    # `scraped` says that no Prometheus was named.
    if given is None or not settings.monitoring.rules:
        return
    query = f'ALERTS{{alertstate="firing",{INSTANCE_LABEL}="{settings.instance}"}}'
    firing = sorted({sample["metric"]["alertname"] for sample in _samples(examined, given.get_secret_value(), query)})
    for name in firing:
        do = f"docs/runbooks/{runbook(name)}.md"
        yield failed(f"alert {name}", "it fires", means="see its page", do=do)
    if not firing:
        yield passed("alerts", "none fires")


def _samples(examined: Examination, address: str, query: str) -> list[Any]:
    url = f"{address.rstrip('/')}/api/v1/query?query={quote(query)}"
    # Prometheus has an address of its own, whatever --connect says of the public hosts.
    answer = Web(environ=examined.web.environ).request("GET", url)
    if answer.status != 200:
        raise CannotReadError(f"Prometheus answers {answer.status}", remedy="correct PROMETHEUS_URL")
    samples: list[Any] = answer.json()["data"]["result"]
    return samples
