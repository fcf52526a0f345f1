"""Two installations in one namespace, told apart by ``name``: no object, selector, Secret or metric in common."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.settings import InvalidSettingsError, Settings
from cdk8s_mlflow.settings.error_messages import error_messages
from cdk8s_mlflow.settings.ownership import refuse_shared
from tests.manifests.conftest import merged
from tests.manifests.objects import MINIMAL, Objects, Render

EVERYTHING: Mapping[str, Any] = {
    "release": "3.17.2",
    "namespace": "shared",
    "server": {"autoscaling": {}, "service": {"type": "LoadBalancer", "source_ranges": ("198.51.100.0/24",)}},
    "network": {"ingress_cidrs": ("198.51.100.0/24",)},
    "database": {"max_connections": 1000},
    "ingress": {"cloudflared": {}},
    "monitoring": {"rules": True},
    "backup": {"target": "s3://dumps/first"},
}
SECOND: Mapping[str, Any] = {
    "name": "team-b",
    "instance": "team-b",
    "manage_namespace": False,
    "ingress": {"host": "b.example.com", "tls_secret": "team-b-tls"},
    "backup": {"target": "s3://dumps/second"},
}


@pytest.fixture(scope="module")
def both(rendered: Render) -> tuple[Objects, Objects]:
    return rendered(**EVERYTHING), rendered(**merged(EVERYTHING, SECOND))


def selectors(value: Any) -> Iterator[dict[str, str]]:
    """Every set of labels by which an object chooses pods or Services of the namespace."""
    if isinstance(value, list):
        for item in value:
            yield from selectors(item)
    if isinstance(value, dict):
        for key, inner in value.items():
            labels = inner.get("matchLabels", inner) if isinstance(inner, dict) else None
            if key in ("selector", "podSelector", "labelSelector") and labels and "name" not in labels:
                yield labels
            yield from selectors(inner)


def labels_of_pods(objects: Objects) -> list[dict[str, str]]:
    """Labels of every pod and every Service."""
    templates = re.compile(r"Deployment|Job|CronJob")
    found = [one["metadata"]["labels"] for (kind, _, _), one in objects.items() if kind == "Service"]
    for (kind, _, _), one in objects.items():
        if templates.fullmatch(kind):
            spec = one["spec"]["jobTemplate"]["spec"] if kind == "CronJob" else one["spec"]
            found.append(spec["template"]["metadata"]["labels"])
    return found


def test_no_object_belongs_to_both(both: tuple[Objects, Objects]) -> None:
    first, second = both

    assert first.keys() & second.keys() == set()
    assert {name for kind, space, name in second if space == "shared" and kind != "Certificate"} <= {
        name for _, _, name in second if name == "team-b" or name.startswith("team-b-")
    }
    assert ("Namespace", "", "shared") in first


def test_no_selector_chooses_pods_of_other(both: tuple[Objects, Objects]) -> None:
    for one, other in (both, both[::-1]):
        chosen = [found for (_, space, _), item in one.items() if space == "shared" for found in selectors(item)]
        own = [labels for labels in chosen if "app.kubernetes.io/component" in labels]
        strangers = labels_of_pods(other)

        assert len(own) > 10
        assert [labels for labels in own if any(labels.items() <= pod.items() for pod in strangers)] == []


def test_no_object_names_one_of_other(both: tuple[Objects, Objects]) -> None:
    for one, other in (both, both[::-1]):
        # Both names stand in labels and images of every object.
        names = {name for _, space, name in other if space == "shared"} - {"mlflow", "team-b"}
        text = json.dumps([item for item in one.values() if item["kind"] not in ("Application", "Kustomization")])

        assert [
            name for name in sorted(names) if re.search(rf"(?<![a-z0-9-]){re.escape(name)}(?![a-z0-9-])", text)
        ] == []


def test_alerts_watch_only_their_own(both: tuple[Objects, Objects]) -> None:
    (rules,) = [item for (kind, _, _), item in both[1].items() if kind == "PrometheusRule"]
    text = json.dumps(rules)

    assert 'absent(up{namespace=\\"shared\\",job=\\"team-b-metrics\\"} == 1)' in text
    for label in ("job", "pod", "job_name", "cronjob", "horizontalpodautoscaler"):
        watched = re.findall(rf'[{{,]{label}=~?\\"([^"\\]+)', text)
        assert watched, label
        assert [value for value in watched if not value.startswith("team-b")] == [], label


def refused(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    files = {
        Path("one.yaml"): Settings.model_validate(merged(MINIMAL, one)),
        Path("two.yaml"): Settings.model_validate(merged(MINIMAL, other)),
    }
    try:
        refuse_shared(files)
    except InvalidSettingsError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_two_names_may_share_a_namespace() -> None:
    second = merged(EVERYTHING, SECOND)

    assert refused(EVERYTHING, second) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "mlflow"}, "objects named shared/mlflow in cluster default would belong to one.yaml too"),
        ({"manage_namespace": True}, "namespace shared in cluster default would belong to one.yaml too"),
        ({"ingress": {"tls_secret": "mlflow-tls"}}, "certificate shared/mlflow-tls in cluster default would belong"),
    ],
)
def test_what_both_would_own_is_refused(changes: dict[str, Any], message: str) -> None:
    found = refused(EVERYTHING, merged(merged(EVERYTHING, SECOND), changes))

    assert len(found) == 1
    assert message in found[0]


@pytest.mark.parametrize("name", ["mlflow-metrics", "a-db-secret", "x-tunnel", "1a", "a", "A", "a" * 31, "a-", "a.b"])
def test_name_like_an_object_of_ours_is_refused(name: str) -> None:
    with pytest.raises(ValidationError) as error:
        Settings.model_validate(merged(MINIMAL, {"name": name}))

    ((key, message),) = error_messages(error.value)
    assert key == "name"
    assert "must look like mlflow or team-a" in message
