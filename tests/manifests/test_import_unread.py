"""What no rule of `import-values` reads is said, wherever it stands in the values file."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cdk8s_mlflow.importing.chart import chart_values
from cdk8s_mlflow.importing.outcome import Carried, LeftOut
from cdk8s_mlflow.importing.watched import plain
from cdk8s_mlflow.settings.sources import read_document

HERE = Path(__file__).parent / "imported"
ROUTE = {
    "ingress": {"enabled": False},
    "httpRoute": {
        "enabled": True,
        "parentRefs": [{"name": "public", "namespace": "gateways"}],
        "hostnames": ["ml.example.org"],
    },
}
NEW = "unheardOf"

Place = tuple[str | int, ...]


FILES: dict[str, dict[str, Any]] = {
    **{name: plain(read_document(HERE / f"{name}.yaml")) for name in ("chart", "pods")},
    "route": {"replicaCount": 1, **ROUTE},
}


def mappings(value: Any, place: Place = ()) -> Iterator[Place]:
    """Every mapping below ``value`` that is not switched off."""
    if isinstance(value, dict) and value.get("enabled") is not False:
        yield from ((place,) if place else ())
        for key, item in value.items():
            yield from mappings(item, (*place, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from mappings(item, (*place, number))


PLACES = [(name, place) for name, values in FILES.items() for place in mappings(values)]


@pytest.mark.parametrize(("name", "place"), PLACES, ids=lambda part: part if isinstance(part, str) else str(part[-1]))
def test_key_that_no_rule_knows_is_said(name: str, place: Place) -> None:
    values = copy.deepcopy(FILES[name])
    holder: Any = values
    # A part may be left out whole, an item of a list by its name.
    names = [*(step for step in place if isinstance(step, str)), NEW]
    sources = {".".join(names[:end]) for end in range(1, len(names) + 1)}
    for step in place:
        holder = holder[step]
        sources |= {f"{place[0]}.{holder['name']}"} if isinstance(holder, dict) and "name" in holder else set()
    holder[NEW] = "there"

    outcomes = list(chart_values(values))

    carried = any("there" in str(one.value) for one in outcomes if isinstance(one, Carried))
    assert carried or sources & {one.source for one in outcomes if isinstance(one, LeftOut)}


def test_what_is_switched_off_asks_for_nothing() -> None:
    off = {"enabled": False, NEW: "there"}
    values = {"replicaCount": 1, "httpRoute": off, "artifactRoot": {"gcs": off, "s3": off}, "serviceMonitor": off}

    assert [one for one in chart_values(values) if isinstance(one, LeftOut)] == []


def test_rights_that_pods_have_already_are_passed_over() -> None:
    rights = {"runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    asked = {**rights, "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]}}
    container = {"name": "a", "image": "a:1", "securityContext": asked}

    left = [
        one.source
        for one in chart_values(
            {"securityContext": rights, "podSecurityContext": asked, "extraContainers": [container]}
        )
        if isinstance(one, LeftOut)
    ]

    assert left == ["podSecurityContext.capabilities", "extraContainers.a.securityContext.capabilities"]
