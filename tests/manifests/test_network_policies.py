"""Each rule follows from the address that a setting names, or the setting that is missing is named."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.error_messages import error_messages
from tests.manifests.conftest import MINIMAL, merged
from tests.manifests.objects import Objects, Render

BOOTSTRAP = {"role_management": "bootstrap", "database_management": "bootstrap"}
BY_ADDRESS = {**BOOTSTRAP, "sslmode": "verify-ca"}
RDS = "mlflow.abc123.eu-central-1.rds.amazonaws.com"
S3 = {"kind": "s3", "credentials": "keys"}


def peer(namespace: str, **labels: str) -> dict[str, Any]:
    """Pods as a rule names them; underscores stand for the characters that a keyword cannot have."""
    pods = {"podSelector": {"matchLabels": dict(labels)}} if labels else {}
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}, **pods}


def network(cidr: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr}}


ALLOWED: dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[int]]] = {
    "database of another Cluster": (
        {"database": {**BOOTSTRAP, "host": "shared-rw.data.svc"}},
        # By its name it may be a Pooler's as well.
        [peer("data", **{"cnpg.io/cluster": "shared"}), peer("data", **{"cnpg.io/poolerName": "shared-rw"})],
        [5432],
    ),
    "pooler that is called as a Cluster's Service": (
        {"database": {"host": "pooler-rw.postgres.svc"}},
        [peer("postgres", **{"cnpg.io/cluster": "pooler"}), peer("postgres", **{"cnpg.io/poolerName": "pooler-rw"})],
        [5432],
    ),
    "Keycloak by address": (
        {"pods": {"host_aliases": {"10.0.0.5": ("auth.example.com",)}}},
        [network("10.0.0.5/32")],
        [443],
    ),
    "S3 by both addresses": (
        {
            "artifacts": {**S3, "endpoint": "https://s3.example.net"},
            "pods": {"host_aliases": {"10.0.0.5": ("s3.example.net",), "fd00::5": ("s3.example.net",)}},
        },
        [network("10.0.0.5/32"), network("fd00::5/128")],
        [443],
    ),
    "database by address": ({"database": {**BY_ADDRESS, "host": "10.20.30.40"}}, [network("10.20.30.40/32")], [5432]),
    "database by IPv6 address": (
        {"database": {**BY_ADDRESS, "host": "fd00::5", "port": 6432}},
        [network("fd00::5/128")],
        [6432],
    ),
    # Rules know no names, and the address behind this one changes.
    "database in a cloud": ({"database": {**BOOTSTRAP, "host": RDS}}, [network("0.0.0.0/0"), network("::/0")], [5432]),
    "database in a named network": (
        {"database": {**BOOTSTRAP, "host": "db.corp"}, "network": {"database_cidrs": ["10.9.0.0/16"]}},
        [network("10.9.0.0/16")],
        [5432],
    ),
    "pooler": (
        {
            "database": {**BOOTSTRAP, "host": "pooler.postgres.svc.cluster.local"},
            "network": {"database_pods": {"labels": {"cnpg.io/poolerName": "pooler"}}},
        },
        [peer("postgres", **{"cnpg.io/poolerName": "pooler"})],
        [5432],
    ),
    # A Service in the Cluster's namespace may be that of a Pooler, whose pods bear another label.
    "pooler of CloudNativePG": (
        {"database": {"host": "pooler.postgres.svc"}},
        [
            peer("postgres", **{"cnpg.io/cluster": "postgres-cluster"}),
            peer("postgres", **{"cnpg.io/poolerName": "pooler"}),
        ],
        [5432],
    ),
    # Without ``.svc`` the name may be one outside of the cluster, too.
    "Redis by a short name": (
        {"authentication": {"redis": {"host": "redis.cache"}}},
        [network("0.0.0.0/0"), network("::/0"), peer("cache")],
        [6379],
    ),
    "database pods behind another port": (
        {
            "database": {**BOOTSTRAP, "host": "postgres.default.svc"},
            "network": {"database_pods": {"labels": {"app": "postgres"}, "port": 5433}},
        },
        [peer("default", app="postgres")],
        [5433],
    ),
    # Rules see the port of the pods, which is not that of Rook's Service.
    "Rook": (
        {"artifacts": {**S3, "endpoint": "http://rook-ceph-rgw-store.rook-ceph.svc"}},
        [peer("rook-ceph")],
        [80, 8080],
    ),
    "S3 with its pods": (
        {"artifacts": {**S3, "endpoint": "http://s3.store.svc"}, "network": {"artifact_pods": {"port": 3900}}},
        [peer("store")],
        [3900],
    ),
    "S3 by address": ({"artifacts": {**S3, "endpoint": "https://10.1.1.1:9443"}}, [network("10.1.1.1/32")], [9443]),
    # Its pods listen on this port behind a Service of 53.
    "OpenShift's DNS": (
        {"network": {"dns_namespace": "openshift-dns"}},
        [peer("openshift-dns", **{"dns.operator.openshift.io/daemonset-dns": "default"})],
        [5353, 5353],
    ),
    "DNS of the nodes": (
        {"network": {"dns_cidrs": ["169.254.20.10/32"]}},
        [network("169.254.20.10/32")],
        [53, 53],
    ),
    "DNS on other ports": (
        {"network": {"dns_ports": [1053]}},
        [peer("kube-system", **{"k8s-app": "kube-dns"})],
        [1053, 1053],
    ),
    "Keycloak in the cluster": (
        {"authentication": {"keycloak_host": "keycloak.iam.svc"}},
        [peer("iam")],
        [443, 8443],
    ),
    "Keycloak's pods": (
        {
            "authentication": {"keycloak_host": "auth.lan"},
            "network": {"keycloak_pods": {"namespace": "iam", "labels": {"app": "keycloak"}, "port": 8443}},
        },
        [peer("iam", app="keycloak")],
        [8443],
    ),
    "Redis by address": ({"authentication": {"redis": {"host": "10.0.0.9"}}}, [network("10.0.0.9/32")], [6379]),
    "proxy by address": ({"network": {"proxy": {"url": "http://10.0.0.3:3128"}}}, [network("10.0.0.3/32")], [3128]),
    "proxy by name": (
        {"network": {"proxy": {"url": "http://proxy.example.com:3128", "cidrs": ["10.0.0.0/28"]}}},
        [network("10.0.0.0/28")],
        [3128],
    ),
    "proxy in the cluster": (
        {"network": {"proxy": {"url": "http://squid.egress.svc:3128"}}},
        [peer("egress")],
        [3128],
    ),
    "extra egress": (
        {"network": {"extra_egress": [{"cidrs": ["192.0.2.0/24"], "ports": [{"port": 8443}]}]}},
        [network("192.0.2.0/24")],
        [8443],
    ),
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "database of unknown pods": ({"database": {**BOOTSTRAP, "host": "postgres.default.svc"}}, "network.database_pods"),
    "database beside us": ({"database": {**BOOTSTRAP, "host": "postgres"}}, "network.database_pods"),
    "database of a private name": ({"database": {**BOOTSTRAP, "host": "db.corp.internal"}}, "network.database_cidrs"),
    "Redis of a private name": ({"authentication": {"redis": {"host": "redis.lan"}}}, "network.redis_cidrs"),
    "Keycloak of a private name": ({"authentication": {"keycloak_host": "auth.corp"}}, "network.keycloak_cidrs"),
    "S3 of a private name": ({"artifacts": {**S3, "endpoint": "https://s3.lan"}}, "network.artifact_cidrs"),
    "S3 of unknown pods": ({"artifacts": {**S3, "endpoint": "http://s3.store.svc"}}, "network.artifact_pods"),
    "pods without a namespace": (
        {"artifacts": {**S3, "endpoint": "https://s3.lan"}, "network": {"artifact_pods": {"port": 1}}},
        "needs a namespace",
    ),
    "proxy by name only": ({"network": {"proxy": {"url": "http://proxy.example.com:3128"}}}, "network.proxy.cidrs"),
    "proxy in the pod": ({"network": {"proxy": {"url": "http://localhost:3128"}}}, "which is the pod itself"),
    "proxy with a login": ({"network": {"proxy": {"url": "http://me@10.0.0.3:3128"}}}, "must hold no login"),
    "egress to everything": ({"network": {"extra_egress": [{"ports": [{"port": 1}]}]}}, "every address"),
    "egress on no port": ({"network": {"extra_egress": [{"cidrs": ["10.0.0.0/8"], "ports": []}]}}, "extra_egress[0]"),
    "range from back to front": (
        {"network": {"extra_egress": [{"cidrs": ["10.0.0.0/8"], "ports": [{"port": 9, "end_port": 8}]}]}},
        "swap them",
    ),
    "exception that is outside": (
        {
            "network": {
                "extra_ingress": [
                    {"cidrs": ["10.0.0.0/8"], "except_cidrs": ["192.0.2.0/24"], "ports": [{"port": 5000}]}
                ]
            }
        },
        "within none of its cidrs",
    ),
    "proxy as a variable": ({"server": {"extra_environment": {"HTTPS_PROXY": "x"}}}, "follows from network.proxy.url"),
}


def rules(objects: Objects, component: str = "tracking-server", way: str = "egress") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = objects["NetworkPolicy", "mlflow", f"mlflow-{component}"]["spec"][way]
    return found


def refusals(changes: Mapping[str, Any]) -> str:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate_json(json.dumps(merged(MINIMAL, changes)))
    return "\n".join(f"{key}: {message}" for key, message in error_messages(refused.value))


def tuples(value: Any) -> Any:
    """Lists as settings take them from Python."""
    if isinstance(value, dict):
        return {key: tuples(item) for key, item in value.items()}
    return tuple(tuples(item) for item in value) if isinstance(value, list) else value


@pytest.mark.parametrize("name", ALLOWED)
def test_rule_follows_from_address(rendered: Render, name: str) -> None:
    changes, peers, ports = ALLOWED[name]

    found = rules(rendered(**tuples(changes)))

    matching = [rule for rule in found if rule["to"] == peers]
    assert [[port["port"] for port in rule["ports"]] for rule in matching] == [ports]


@pytest.mark.parametrize("name", REFUSED)
def test_unknown_address_names_setting(name: str) -> None:
    changes, message = REFUSED[name]

    assert message in refusals(changes)


@pytest.mark.parametrize("name", [name for name in REFUSED if "private name" in name or "unknown pods" in name])
def test_without_policies_addresses_are_taken(name: str) -> None:
    changes = merged(REFUSED[name][0], {"network": {"policies": False}})

    settings = Settings.model_validate_json(json.dumps(merged(MINIMAL, changes)))

    assert not settings.network.policies


def test_other_database_excludes_cluster(rendered: Render) -> None:
    objects = rendered(database={**BOOTSTRAP, "host": RDS})

    policies = [found for (kind, _, _), found in objects.items() if kind == "NetworkPolicy"]
    assert len(policies) > 2
    assert "cnpg.io/cluster" not in json.dumps(policies)


def test_public_addresses_have_both_families(rendered: Render) -> None:
    blocks = [peer["ipBlock"] for rule in rules(rendered()) for peer in rule["to"] if "ipBlock" in peer]

    assert {block["cidr"] for block in blocks} == {"0.0.0.0/0", "::/0"}
    # Private ranges of IPv6: unique local and link-local.
    assert {"fc00::/7", "fe80::/10"} == {
        cidr for block in blocks if block["cidr"] == "::/0" for cidr in block["except"]
    }


def test_proxy_reaches_every_container_of_ours(rendered: Render) -> None:
    objects = rendered(network={"proxy": {"url": "http://10.0.0.3:3128", "no_proxy": (".example.net",)}})

    templates = [
        found["spec"].get("template") or found["spec"].get("jobTemplate", {}).get("spec", {}).get("template")
        for found in objects.values()
        if "spec" in found
    ]
    pods = [template["spec"] for template in templates if template and "containers" in template.get("spec", {})]
    environments = [
        {one["name"]: one.get("value") for one in container["env"]}
        for pod in pods
        for container in (*pod["containers"], *pod.get("initContainers", ()))
    ]
    assert len(environments) >= 4
    assert {environment.get("HTTPS_PROXY") for environment in environments} == {"http://10.0.0.3:3128"}
    assert {environment.get("NO_PROXY") for environment in environments} == {
        "localhost,127.0.0.1,.svc,.cluster.local,.example.net"
    }


def test_proxied_hosts_need_no_direct_rule(rendered: Render) -> None:
    objects = rendered(network={"proxy": {"url": "http://10.0.0.3:3128"}})

    assert "0.0.0.0/0" not in json.dumps(rules(objects))


def test_extra_rules_are_for_named_pods(rendered: Render) -> None:
    rule = {"namespace": "ci", "pod_labels": {"app": "runner"}, "ports": ({"port": 5000},)}
    objects = rendered(network={"extra_ingress": (rule,), "extra_egress": ({**rule, "pods": ("maintenance",)},)})

    expected = [peer("ci", app="runner")]
    assert expected in [found["from"] for found in rules(objects, way="ingress")]
    assert expected in [found["to"] for found in rules(objects, "maintenance")]
    assert expected not in [found["to"] for found in rules(objects)]
