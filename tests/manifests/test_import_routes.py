"""A chart's HTTPRoute becomes the Gateway of our route, and the page of other charts names every area."""

from pathlib import Path
from typing import Any

import pytest

from cdk8s_mlflow.importing.chart import chart_values
from cdk8s_mlflow.importing.outcome import Carried, LeftOut, document
from cdk8s_mlflow.importing.page import page
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.foreign_keys import EQUIVALENTS, REASONS
from tests.manifests.test_import_values import CHART

ROOT = Path(__file__).parents[2]
ROUTE: dict[str, Any] = {
    "enabled": True,
    "parentRefs": [
        {"name": "traefik", "namespace": "web", "sectionName": "https"},
        {"kind": "Service", "name": "mesh"},
    ],
    "hostnames": ["ml.example.org", "ml.internal.example.org"],
    "rules": [{"matches": []}],
}
LOGIN = {"enabled": True, "discoveryUrl": "https://auth.example.org/realms/ml/.well-known/openid-configuration"}


def read(**values: Any) -> tuple[Settings, set[str]]:
    """The settings that ``values`` become, and the sources that are left out."""
    outcomes = list(chart_values({"oidcAuth": LOGIN, **values}))
    carried = {outcome.key: outcome.value for outcome in outcomes if isinstance(outcome, Carried)}
    left = {outcome.source for outcome in outcomes if isinstance(outcome, LeftOut)}
    plain = document(carried)
    plain["ingress"] = {key: _tuples(value) for key, value in plain["ingress"].items()}
    return Settings.model_validate({key: _tuples(value) for key, value in plain.items()}), left


def _tuples(value: Any) -> Any:
    """As an environment file is read."""
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


@pytest.mark.parametrize("first", ["ingress", "httpRoute"])
def test_route_becomes_gateway_of_environment(first: str) -> None:
    areas = {"ingress": {"enabled": False, "hosts": [{"host": "chart-example.local"}]}, "httpRoute": ROUTE}

    settings, left = read(**{first: areas[first]}, **{name: area for name, area in areas.items() if name != first})

    found = settings.ingress
    assert found.gateway is not None
    (parent,) = found.gateway.parents
    assert (parent.name, parent.namespace, parent.section_name) == ("traefik", "web", "https")
    assert (found.enabled, found.host, found.more_hosts) == (True, "ml.example.org", ("ml.internal.example.org",))
    assert {"httpRoute.rules", "httpRoute.parentRefs"} <= left


def test_routers_of_traefik_become_settings() -> None:
    router = "traefik.ingress.kubernetes.io/router."
    annotations = {
        f"{router}middlewares": "web-office@kubernetescrd, audit@file",
        f"{router}entrypoints": "https",
        f"{router}tls": True,
        f"{router}priority": 20,
    }
    ingress = {"className": "traefik", "hosts": [{"host": "a.example.org"}], "annotations": annotations}

    settings, left = read(ingress={"enabled": True, **ingress})

    found = settings.ingress
    assert found.more_middlewares == ("web-office@kubernetescrd", "audit@file")
    assert found.entry_point == "https"
    assert found.annotations == {f"{router}priority": "20"}
    assert f"ingress.annotations.{router}tls" in left


@pytest.mark.parametrize(("name", "is_tls"), [("web", False), ("http", False), ("websecure", True), ("public", True)])
def test_entry_point_without_tls_stays_plain(name: str, is_tls: bool) -> None:
    annotations = {"traefik.ingress.kubernetes.io/router.entrypoints": name}
    ingress = {"className": "traefik", "hosts": [{"host": "a.example.org"}], "annotations": annotations}

    settings, _ = read(ingress={"enabled": True, **ingress})

    assert (settings.ingress.entry_point, settings.ingress.entry_point_tls) == (name, is_tls)
    assert settings.ingress.tls_secret is None


def test_realm_of_administrators_is_left_out() -> None:
    discovery = "https://auth.example.org/realms/master/.well-known/openid-configuration"
    ingress = {"enabled": True, "hosts": [{"host": "a.example.org"}]}

    settings, left = read(ingress=ingress, oidcAuth={"enabled": True, "discoveryUrl": discovery})

    assert settings.authentication.realm == "mlflow"
    assert "oidcAuth.discoveryUrl" in left


def test_route_beside_ingress_is_left_out() -> None:
    settings, left = read(httpRoute=ROUTE, ingress={"enabled": True, "hosts": [{"host": "a.example.org"}]})

    assert (settings.ingress.host, settings.ingress.gateway) == ("a.example.org", None)
    assert "httpRoute" in left


def test_route_that_is_off_asks_nothing() -> None:
    off = {"enabled": False, "parentRefs": [{"name": "chart-example"}], "hostnames": ["chart-example.local"]}

    settings, left = read(httpRoute=off, ingress={"enabled": True, "hosts": [{"host": "a.example.org"}]})

    assert settings.ingress.gateway is None
    assert not any("httpRoute" in source for source in left)


def test_page_of_other_charts_is_whole() -> None:
    text = (ROOT / "docs" / "other-charts.md").read_text()

    rows = {line.split("|")[1].strip(" `") for line in text.splitlines() if line.startswith("| `")}
    assert text == page()
    assert {*CHART, *EQUIVALENTS, *REASONS} <= rows
