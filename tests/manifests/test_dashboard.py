"""The dashboard for Grafana: off by default, and the same rendering every time."""

import json
from typing import Any

from tests.manifests.objects import Objects, Render


def dashboard(objects: Objects) -> dict[str, Any]:
    """The one ConfigMap whose name says so."""
    (found,) = [item for (kind, _, name), item in objects.items() if kind == "ConfigMap" and "dashboard" in name]
    return found


def queries(board: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]


def test_dashboard_is_off_by_default(rendered: Render) -> None:
    assert not [name for kind, _, name in rendered() if kind == "ConfigMap" and "dashboard" in name]


def test_dashboard_is_labelled_for_sidecar_and_flux(rendered: Render) -> None:
    found = dashboard(rendered(monitoring={"dashboard": True}))["metadata"]

    assert found["labels"]["grafana_dashboard"] == "1"
    assert found["annotations"]["kustomize.toolkit.fluxcd.io/substitute"] == "disabled"


def test_dashboard_labels_can_be_set(rendered: Render) -> None:
    found = dashboard(rendered(monitoring={"dashboard": True, "dashboard_labels": {"team": "ml"}}))["metadata"]

    assert found["labels"]["team"] == "ml"
    assert "grafana_dashboard" not in found["labels"]


def test_dashboard_shows_only_its_own_instance(rendered: Render) -> None:
    config = dashboard(rendered(instance="mlflow-team", monitoring={"dashboard": True}))
    board = json.loads(config["data"]["mlflow-team.json"])

    assert (board["uid"], board["title"]) == ("mlflow-team", "mlflow-team")
    assert len(queries(board)) > 15
    assert all('namespace="mlflow-team"' in query for query in queries(board))


def test_panel_of_versions_shows_their_names(rendered: Render) -> None:
    board = json.loads(dashboard(rendered(monitoring={"dashboard": True}))["data"]["mlflow.json"])
    shown = {panel["title"]: panel["options"].get("textMode") for panel in board["panels"] if panel["type"] != "row"}

    # Grafana's own choice for a single series is its value, which here is how many pods have that version.
    assert (shown["Versions"], shown["Pods"], shown["Changed Secrets"]) == ("name", "value", "value_and_name")


def test_dashboard_panels_do_not_overlap(rendered: Render) -> None:
    config = dashboard(rendered(monitoring={"dashboard": True}))
    board = json.loads(config["data"]["mlflow.json"])

    cells = [
        (x, y)
        for position in (panel["gridPos"] for panel in board["panels"])
        for x in range(position["x"], position["x"] + position["w"])
        for y in range(position["y"], position["y"] + position["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_dashboard_is_rendered_the_same_again(rendered: Render) -> None:
    first, second = (dashboard(rendered(monitoring={"dashboard": True})) for _ in range(2))

    assert first == second
