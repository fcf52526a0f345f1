"""What the tracking server is promised to be, by those who run it."""

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.settings import Settings
from tests.manifests.objects import Objects, Render, environment, only, pod_specs, server

NEW_IMAGE = {"tag": "3.6.0-oidc-2"}


def test_new_image_changes_only_workloads(rendered: Render) -> None:
    before, after = rendered(), rendered(image=NEW_IMAGE)

    changed = {kind for key in before.keys() & after.keys() if before[key] != after[key] for kind in [key[0]]}
    assert {key[0] for key in before.keys() ^ after.keys()} == {"Job"}
    assert changed == {"Deployment", "CronJob"}


def test_pods_have_no_service_links(rendered: Render) -> None:
    specs = pod_specs(rendered(ingress={"cloudflared": {}}))

    assert len(specs) == 5
    assert all(spec["enableServiceLinks"] is False for spec in specs)


def test_login_is_what_keycloak_and_plugin_need(rendered: Render) -> None:
    values = environment(rendered())

    assert values["OIDC_REDIRECT_URI"] == "https://mlflow.example.com/callback"
    assert values["OIDC_DISCOVERY_URL"] == ("https://auth.example.com/realms/mlflow/.well-known/openid-configuration")
    assert values["OIDC_SCOPE"] == "openid profile email groups"
    assert values["OIDC_GROUP_NAME"] == "mlflow-admins,mlflow-users"
    assert values["OIDC_ADMIN_GROUP_NAME"] == "mlflow-admins"
    assert values["DEFAULT_MLFLOW_PERMISSION"] == "NO_PERMISSIONS"
    assert "OIDC_GROUP_DETECTION_PLUGIN" not in values
    # These are read from mounted files, never from the environment.
    assert not {"OIDC_CLIENT_SECRET", "SECRET_KEY", "AWS_SECRET_ACCESS_KEY"} & values.keys()


def test_public_port_enters_every_derived_address(rendered: Render) -> None:
    values = environment(rendered(ingress={"public_port": 8443}))

    assert values["OIDC_REDIRECT_URI"] == "https://mlflow.example.com:8443/callback"
    assert values["MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"] == "https://mlflow.example.com:8443"
    assert values["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")[0] == "mlflow.example.com:8443"


def test_sessions_are_in_redis_for_several_replicas(rendered: Render) -> None:
    default = environment(rendered())
    together = environment(rendered(server={"replicas": 2}, authentication={"redis": {"host": "redis.redis.svc"}}))

    assert (default["SESSION_TYPE"], default["SESSION_CACHE_DIR"]) == ("cachelib", "/tmp/session")
    assert (together["SESSION_TYPE"], together["REDIS_HOST"]) == ("redis", "redis.redis.svc")
    assert "SESSION_CACHE_DIR" not in together


def test_current_release_renews_sessions_and_secures_cookies(rendered: Render) -> None:
    values = environment(rendered(release="3.17.2"))

    assert values["OIDC_USE_REFRESH_TOKEN"] == "true"
    assert values["SESSION_COOKIE_SECURE"] == "true"
    assert values["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert values["MLFLOW_ENABLE_AI_GATEWAY"] == "false"
    assert "SESSION_TYPE" not in values


def test_changed_service_file_starts_new_pods(rendered: Render) -> None:
    def checksum(objects: Objects) -> str:
        metadata = only(objects, "Deployment")["spec"]["template"]["metadata"]
        return str(metadata["annotations"]["mlflow.cdk8s.io/configuration-checksum"])

    # Without it, a changed ConfigMap or Secret would start no pod anew.
    assert checksum(rendered()) != checksum(rendered(database={"sslmode": "verify-ca"}))


def test_new_server_is_ready_before_old_one_goes(rendered: Render) -> None:
    strategy = only(rendered(), "Deployment")["spec"]["strategy"]

    assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_garbage_is_collected_never_twice_at_once(rendered: Render) -> None:
    spec = only(rendered(maintenance={"retention_days": 7}), "CronJob", "mlflow-gc")["spec"]
    (container,) = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]

    assert spec["concurrencyPolicy"] == "Forbid"
    assert container["args"] == ["gc", "--older-than", "7d"]


def test_private_authority_is_mounted_where_programs_look(rendered: Render) -> None:
    objects = rendered(server={"ca_bundle": {"name": "company-ca"}})
    mounts = {mount["mountPath"] for mount in server(objects)["volumeMounts"]}

    assert "/var/run/secrets/mlflow/ca" in mounts


def test_read_only_pauses_what_deletes(rendered: Render) -> None:
    usual, objects = rendered(release="3.17.2"), rendered(release="3.17.2", server={"read_only": True})

    suspended = {name for (kind, _, name), o in objects.items() if kind == "CronJob" and o["spec"].get("suspend")}
    assert environment(objects)["MLFLOW_SSO_READ_ONLY"] == "true"
    # Not end-access: users who leave must lose their access meanwhile, too.
    assert suspended == {"mlflow-gc", "mlflow-prune-sessions"}
    assert "MLFLOW_SSO_READ_ONLY" not in environment(usual)
    assert {name for (kind, _, name) in objects if kind == "Job"} == {
        name for (kind, _, name) in usual if kind == "Job"
    }


def test_json_log_changes_only_the_server(rendered: Render) -> None:
    usual, objects = rendered(), rendered(server={"log_format": "json"})

    assert environment(objects)["MLFLOW_SSO_LOG_FORMAT"] == "json"
    assert {key[0] for key in usual if usual[key] != objects[key]} == {"Deployment"}


def test_stopping_pod_drains_then_finishes_requests(rendered: Render) -> None:
    changed = rendered(server={"drain_seconds": 20, "termination_grace_seconds": 300})
    pod = changed["Deployment", "mlflow", "mlflow"]["spec"]["template"]["spec"]

    assert server(changed)["lifecycle"]["preStop"]["exec"]["command"] == ["sleep", "20"]
    assert pod["terminationGracePeriodSeconds"] == 300
    flags = server(changed)["args"]
    assert flags[flags.index("--grace-seconds") + 1] == "278"


def test_pod_without_drain_stops_at_once(rendered: Render) -> None:
    assert "lifecycle" not in server(rendered(server={"drain_seconds": 0}))


@pytest.mark.parametrize(("drain", "grace", "least"), [(10, 10, 15), (300, 60, 305)])
def test_drain_must_leave_requests_time(drain: int, grace: int, least: int) -> None:
    hosts = {"ingress": {"host": "mlflow.example.com"}, "authentication": {"keycloak_host": "auth.example.com"}}
    with pytest.raises(ValidationError, match=f"raise it to {least} or more"):
        Settings.model_validate({**hosts, "server": {"drain_seconds": drain, "termination_grace_seconds": grace}})
