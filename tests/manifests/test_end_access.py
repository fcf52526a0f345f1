"""The CronJob that ends the access of users who have left: what it reads, its allowed traffic, and when it exists."""

from typing import Any

import pytest

from cdk8s_mlflow.settings import SettingsError
from tests.manifests.objects import Render

JOB = ("CronJob", "mlflow", "mlflow-end-access")
POLICY = ("NetworkPolicy", "mlflow", "mlflow-end-access")
SECRET = ("ExternalSecret", "mlflow", "mlflow-directory-client")


def volumes(found: dict[str, Any]) -> set[str]:
    """Secrets that the pods of a workload mount."""
    spec = found["spec"]
    template = spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"]
    return {one["secret"]["secretName"] for one in template["spec"]["volumes"] if "secret" in one}


def test_only_its_pods_mount_directory_client(rendered: Render) -> None:
    workloads = {key: found for key, found in rendered().items() if key[0] in ("CronJob", "Deployment", "Job")}

    holders = {key for key, found in workloads.items() if "mlflow-directory-client" in volumes(found)}

    assert holders == {JOB}
    assert volumes(workloads[JOB]) == {"mlflow-db-secret", "mlflow-directory-client"}


def test_its_policy_allows_keycloak_and_database(rendered: Render) -> None:
    found = rendered(network={"keycloak_cidrs": ("203.0.113.0/24",)})
    template = found[JOB]["spec"]["jobTemplate"]["spec"]["template"]

    spec = found[POLICY]["spec"]

    peers = [peer for rule in spec["egress"] for peer in rule["to"]]
    assert spec["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert {"ipBlock": {"cidr": "203.0.113.0/24"}} in peers
    assert "ingress" not in spec
    # The port of MinIO: this Job has nothing to do in the bucket.
    assert "9000" not in str(spec)


def test_its_environment_names_realm_and_groups(rendered: Render) -> None:
    found = rendered(authentication={"user_group": "teams/ml", "include_subgroups": True})
    (container,) = found[JOB]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]

    values = {one["name"]: one["value"] for one in container["env"]}

    assert container["args"] == ["end-access"]
    assert values["OIDC_GROUP_NAME"] == "mlflow-admins,teams/ml"
    assert values["MLFLOW_SSO_SUBGROUPS_OF"] == "teams/ml"
    assert values["OIDC_DISCOVERY_URL"].startswith("https://auth.example.com/realms/mlflow/")


@pytest.mark.parametrize(
    "changes", [{"authentication": {"directory_client": None}}, {"maintenance": {"end_access": False}}]
)
def test_it_can_be_left_out(rendered: Render, changes: dict[str, Any]) -> None:
    found = rendered(**changes)

    assert not {JOB, POLICY} & found.keys()
    assert (SECRET in found) == ("maintenance" in changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"maintenance": {"end_access_schedule": "0 3 * * *"}}, "not at least hourly"),
        ({"maintenance": {"end_access_schedule": "0 */2 * * *"}}, "not at least hourly"),
        ({"maintenance": {"end_access": True}, "authentication": {"directory_client": None}}, "directory_client"),
        ({"authentication": {"directory_client": "mlflow"}}, "others log in with"),
        ({"authentication": {"user_group": "/mlflow-users"}}, "no '/' at either end"),
        ({"authentication": {"user_group": "a//b"}}, "no '/' at either end"),
    ],
)
def test_bad_settings_are_refused(rendered: Render, changes: dict[str, Any], message: str) -> None:
    with pytest.raises((SettingsError, ValueError), match=message):
        rendered(**changes)
