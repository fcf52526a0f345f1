"""The NetworkPolicies lead each pod to what hands out its identity's keys, and to the aliases of its hosts file."""

from typing import Any

import pytest

from tests.manifests.objects import Render

AWS = {"kind": "s3", "endpoint": None}
DUMPS = {"target": "s3://dumps/mlflow", "credentials": "service-account"}
ROLE = {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/mlflow"}


def to_private(rendered: Render, component: str, **changes: Any) -> list[list[str]]:
    """Networks of each rule that leads neither to pods nor to every public address."""
    egress = rendered(**changes)["NetworkPolicy", "mlflow", f"mlflow-{component}"]["spec"]["egress"]
    found = [[peer["ipBlock"]["cidr"] for peer in rule["to"] if "ipBlock" in peer] for rule in egress]
    return [networks for networks in found if networks and "169.254.20.10/32" not in networks]


AGENT, PUBLIC = ["169.254.170.23/32", "fd00:ec2::23/128"], ["0.0.0.0/0", "::/0"]
BUCKET = {"artifact_cidrs": ("10.1.0.0/16",)}


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        ({"service_account_annotations": ROLE}, [PUBLIC]),
        ({}, [AGENT]),
        # Which of the two it is only its owner knows.
        ({"service_account": "irsa"}, [AGENT, PUBLIC]),
    ],
    ids=["role", "agent", "unknown"],
)
def test_identity_reaches_what_hands_out_its_keys(
    rendered: Render, server: dict[str, Any], expected: list[list[str]]
) -> None:
    artifacts = AWS | {"credentials": "service-account"}
    network = BUCKET | {"backup_cidrs": ("10.2.0.0/16",)}
    elsewhere = DUMPS | {"endpoint": "https://s3.us-east-1.amazonaws.com"}

    served = to_private(rendered, "tracking-server", artifacts=artifacts, server=server, network=BUCKET)
    dumped = to_private(rendered, "backup", backup=elsewhere, server=server, network=network)

    # Keycloak is at a public address, and a dump asks for nothing of it.
    assert [rule for rule in served if rule != PUBLIC] == [["10.1.0.0/16"], *([AGENT] if AGENT in expected else [])]
    assert served.count(PUBLIC) == 1 + expected.count(PUBLIC)
    assert dumped == [["10.2.0.0/16"], *expected]


def test_alias_is_reached_beside_the_proxy(rendered: Render) -> None:
    proxy = {"url": "http://10.0.0.3:3128"}
    objects = rendered(pods={"host_aliases": {"10.0.0.5": ("auth.example.com",)}}, network={"proxy": proxy})

    (container,) = objects["Deployment", "mlflow", "mlflow"]["spec"]["template"]["spec"]["containers"]
    (direct,) = [one["value"] for one in container["env"] if one["name"] == "NO_PROXY"]
    egress = objects["NetworkPolicy", "mlflow", "mlflow-tracking-server"]["spec"]["egress"]
    assert "auth.example.com" in direct.split(",")
    assert [{"ipBlock": {"cidr": "10.0.0.5/32"}}] in [rule["to"] for rule in egress]
