"""What is reached from outside, from inside, and by what."""

from typing import Any

import pytest

from tests.manifests.objects import Render, only, pod_templates


def test_service_selects_server_and_no_job(rendered: Render) -> None:
    objects = rendered()
    wanted = only(objects, "Service")["spec"]["selector"].items()

    assert wanted <= only(objects, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    assert not wanted <= only(objects, "Job")["spec"]["template"]["metadata"]["labels"].items()


def test_metrics_stay_inside(rendered: Render) -> None:
    objects = rendered()
    ingress_ports = {
        path["backend"]["service"]["port"]["name"]
        for (kind, _, _), o in objects.items()
        if kind == "Ingress"
        for rule in o["spec"]["rules"]
        for path in rule["http"]["paths"]
    }
    (endpoint,) = only(objects, "ServiceMonitor")["spec"]["endpoints"]

    assert ingress_ports == {"http"}
    assert endpoint["port"] in {port["name"] for port in only(objects, "Service")["spec"]["ports"]}
    assert endpoint["port"] == "metrics"


def chain_of(ingress: dict[str, Any]) -> str:
    """The Middlewares that a request goes through, as Traefik reads them."""
    return str(ingress["metadata"]["annotations"]["traefik.ingress.kubernetes.io/router.middlewares"])


def test_ingress_leads_to_middlewares_that_are_there(rendered: Render) -> None:
    objects = rendered()
    chains = [chain_of(o) for (kind, _, _), o in objects.items() if kind == "Ingress"]
    named = {name for chain in chains for name in chain.split(",")}

    there = {f"{where}-{name}@kubernetescrd" for kind, where, name in objects if kind == "Middleware"}
    assert named == there
    assert "mlflow-mlflow-headers@kubernetescrd" in there


def test_further_middlewares_come_before_ours(rendered: Render) -> None:
    more = ("traefik-office@kubernetescrd", "audit@file")

    ours, both = (
        {name: chain_of(o) for (kind, _, name), o in rendered(ingress=given).items() if kind == "Ingress"}
        for given in ({}, {"more_middlewares": more})
    )

    assert len(both) == 2
    assert both == {name: ",".join((*more, chain)) for name, chain in ours.items()}


def test_every_policy_selects_pods_of_ours_that_exist(rendered: Render) -> None:
    objects = rendered(ingress={"cloudflared": {}})
    labels = [template["metadata"]["labels"] for template in pod_templates(objects)]
    selectors = [o["spec"]["podSelector"]["matchLabels"] for (k, _, _), o in objects.items() if k == "NetworkPolicy"]

    assert len(selectors) == 5
    # Policies add up: a pod of two would have what both allow.
    assert all(sum(s.items() <= pod.items() for s in selectors) == 1 for pod in labels)


def test_server_is_reached_only_by_traefik_and_prometheus(rendered: Render) -> None:
    objects = rendered()

    assert not only(objects, "NetworkPolicy", "mlflow-migration")["spec"].get("ingress")
    rules = only(objects, "NetworkPolicy", "mlflow-tracking-server")["spec"]["ingress"]
    assert [(rule["ports"][0]["port"], len(rule["from"])) for rule in rules] == [(5000, 1), (9090, 1)]


def test_tunnel_reads_its_token_from_file(rendered: Render) -> None:
    objects = rendered(ingress={"cloudflared": {}})
    (container,) = only(objects, "Deployment", "mlflow-cloudflared")["spec"]["template"]["spec"]["containers"]

    assert container["args"][-2:] == ["--token-file", "/etc/cloudflared/token"]
    assert "env" not in container


@pytest.mark.parametrize("version", ["6", "auto"])
def test_tunnel_reaches_the_edge_by_ipv6(rendered: Render, version: str) -> None:
    objects = rendered(ingress={"cloudflared": {"edge_ip_version": version}})
    (container,) = only(objects, "Deployment", "mlflow-cloudflared")["spec"]["template"]["spec"]["containers"]
    edge = [rule for rule in only(objects, "NetworkPolicy", "mlflow-tunnel")["spec"]["egress"] if len(rule["to"]) == 2]

    # An option of `tunnel`, before its command.
    assert container["args"][-5:-2] == ["--edge-ip-version", version, "run"]
    assert [peer["ipBlock"]["cidr"] for rule in edge for peer in rule["to"]] == ["0.0.0.0/0", "::/0"]


def test_namespace_is_restricted_and_not_pruned(rendered: Render) -> None:
    metadata = only(rendered(), "Namespace")["metadata"]

    assert metadata["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert metadata["annotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"


def test_foreign_namespace_is_left_unchanged(rendered: Render) -> None:
    assert not any(kind == "Namespace" for kind, _, _ in rendered(manage_namespace=False))
