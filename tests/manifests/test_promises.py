"""What each construct promises to the people who run it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

Objects = dict[tuple[str, str, str], dict[str, Any]]
Render = Callable[..., Objects]

NEW_IMAGE = {"tag": "3.6.0-oidc-2"}


def only(objects: Objects, kind: str, name: str = "mlflow") -> dict[str, Any]:
    """The one object of ``kind`` whose name starts with ``name``."""
    (found,) = [o for (k, _, n), o in objects.items() if k == kind and n.startswith(name)]
    return found


def server(objects: Objects) -> dict[str, Any]:
    (container,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    return dict(container)


def environment(objects: Objects) -> dict[str, str]:
    return {variable["name"]: variable["value"] for variable in server(objects)["env"]}


def pod_templates(objects: Objects) -> list[dict[str, Any]]:
    templates = [o["spec"]["template"] for (kind, _, _), o in objects.items() if kind in ("Deployment", "Job")]
    crons = [o["spec"]["jobTemplate"]["spec"]["template"] for (kind, _, _), o in objects.items() if kind == "CronJob"]
    return templates + crons


def pod_specs(objects: Objects) -> list[dict[str, Any]]:
    return [template["spec"] for template in pod_templates(objects)]


def test_new_image_changes_only_workloads(rendered: Render) -> None:
    before, after = rendered(), rendered(image=NEW_IMAGE)

    changed = {kind for key in before.keys() & after.keys() if before[key] != after[key] for kind in [key[0]]}
    assert {key[0] for key in before.keys() ^ after.keys()} == {"Job"}
    assert changed == {"Deployment", "CronJob"}


def test_failed_migration_runs_again_under_new_name(rendered: Render) -> None:
    first, second = only(rendered(), "Job"), only(rendered(migration={"run": 2}), "Job")

    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert first["spec"] == second["spec"]


def test_reclaim_policy_delete_lifts_prune_guards(rendered: Render) -> None:
    kept, deleted = rendered(), rendered(database={"reclaim_policy": "delete"})

    changed = {key for key in kept if kept[key] != deleted[key]}
    assert changed == {
        ("Database", "postgres", "mlflow"),
        ("Database", "postgres", "mlflow-auth"),
        ("DatabaseRole", "postgres", "mlflow"),
    }
    assert all("Prune=false" in json.dumps(kept[key]) for key in changed)
    assert not any("prune" in json.dumps(deleted[key]["metadata"]).lower() for key in changed)


def test_job_retries_only_retryable_exit_codes(rendered: Render) -> None:
    spec = only(rendered(), "Job")["spec"]

    rules = {rule["onExitCodes"]["values"][0]: rule["action"] for rule in spec["podFailurePolicy"]["rules"][:2]}
    assert rules == {75: "Ignore", 1: "FailJob"}
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    assert spec["ttlSecondsAfterFinished"] == 365 * 24 * 3600


def test_service_selects_server_and_no_job(rendered: Render) -> None:
    objects = rendered()
    wanted = only(objects, "Service")["spec"]["selector"].items()

    assert wanted <= only(objects, "Deployment")["spec"]["template"]["metadata"]["labels"].items()
    assert not wanted <= only(objects, "Job")["spec"]["template"]["metadata"]["labels"].items()


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

    assert checksum(rendered()) != checksum(rendered(database={"sslmode": "verify-ca"}))


def test_new_server_is_ready_before_old_one_goes(rendered: Render) -> None:
    strategy = only(rendered(), "Deployment")["spec"]["strategy"]

    assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


@pytest.mark.parametrize(("way", "role", "secret"), [("managed-roles", False, True), ("bootstrap", False, False)])
def test_role_has_one_maker(rendered: Render, way: str, role: bool, secret: bool) -> None:
    objects = rendered(database={"role_management": way})

    assert any(kind == "DatabaseRole" for kind, _, _ in objects) is role
    assert ("ExternalSecret", "postgres", "mlflow-db-role") in objects if secret else True
    assert any(name == "mlflow-db-role" for _, _, name in objects) is secret


def test_roles_secret_tells_cloudnative_pg_to_reload(rendered: Render) -> None:
    template = only(rendered(), "ExternalSecret", "mlflow-db-role")["spec"]["target"]["template"]

    assert template["type"] == "kubernetes.io/basic-auth"
    assert template["metadata"]["labels"] == {"cnpg.io/reload": "true", "app.kubernetes.io/instance": "mlflow"}


def test_mounted_secrets_come_from_external_secrets(rendered: Render) -> None:
    objects = rendered(release="3.17.2", ingress={"cloudflared": {}})
    volumes = [volume for spec in pod_specs(objects) for volume in spec["volumes"] if "secret" in volume]

    made = {(where, name) for kind, where, name in objects if kind == "ExternalSecret"}
    assert {("mlflow", volume["secret"]["secretName"]) for volume in volumes} <= made


def test_server_secret_takes_every_key_from_store(rendered: Render) -> None:
    data = only(rendered(release="3.17.2"), "ExternalSecret", "mlflow-server-secret")["spec"]["data"]

    properties = {item["remoteRef"]["property"] for item in data}
    assert properties == {
        "secret_key",
        "session_token_encryption_key",
        "webhook_secret_encryption_key",
        "crypto_kek_passphrase",
    }
    assert {item["remoteRef"]["key"] for item in data} == {"mlflow/server"}


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


def test_ingress_leads_to_middlewares_that_are_there(rendered: Render) -> None:
    objects = rendered()
    key = "traefik.ingress.kubernetes.io/router.middlewares"
    chains = [o["metadata"]["annotations"][key] for (kind, _, _), o in objects.items() if kind == "Ingress"]
    named = {name for chain in chains for name in chain.split(",")}

    there = {f"{where}-{name}@kubernetescrd" for kind, where, name in objects if kind == "Middleware"}
    assert named == there
    assert "mlflow-mlflow-headers@kubernetescrd" in there


def test_every_policy_selects_pods_of_ours_that_exist(rendered: Render) -> None:
    objects = rendered(ingress={"cloudflared": {}})
    labels = [template["metadata"]["labels"] for template in pod_templates(objects)]
    selectors = [o["spec"]["podSelector"]["matchLabels"] for (k, _, _), o in objects.items() if k == "NetworkPolicy"]

    assert len(selectors) == 5
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


def test_namespace_is_restricted_and_not_pruned(rendered: Render) -> None:
    metadata = only(rendered(), "Namespace")["metadata"]

    assert metadata["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert metadata["annotations"]["kustomize.toolkit.fluxcd.io/prune"] == "disabled"


def test_foreign_namespace_is_left_unchanged(rendered: Render) -> None:
    assert not any(kind == "Namespace" for kind, _, _ in rendered(manage_namespace=False))


def test_garbage_is_collected_never_twice_at_once(rendered: Render) -> None:
    spec = only(rendered(maintenance={"retention_days": 7}), "CronJob", "mlflow-gc")["spec"]
    (container,) = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]

    assert spec["concurrencyPolicy"] == "Forbid"
    assert container["args"] == ["gc", "--older-than", "7d"]


def test_flux_applies_application_after_database(rendered: Render) -> None:
    objects = rendered()
    database = only(objects, "Kustomization", "mlflow-test-database")["spec"]
    application = only(objects, "Kustomization", "mlflow-test-application")["spec"]

    assert application["dependsOn"] == [{"name": "mlflow-test-database"}]
    assert (database["path"], application["path"]) == ("./dist/test/database", "./dist/test/application")
    assert {check["kind"] for check in database["healthCheckExprs"]} == {"Database", "DatabaseRole"}


@pytest.mark.parametrize("role", ["bootstrap", "managed-roles"])
def test_delivery_names_no_folder_that_is_not_there(rendered: Render, role: str) -> None:
    database = {"role_management": role, "database_management": "bootstrap"}
    objects = rendered(database=database, secrets={"mode": "kubernetes"})

    assert [name for kind, _, name in objects if kind == "Kustomization"] == ["mlflow-test-application"]
    assert "dependsOn" not in only(objects, "Kustomization", "mlflow-test-application")["spec"]
    sources = only(objects, "Application", "mlflow-test")["spec"]["sources"]
    assert [source["path"] for source in sources] == ["dist/test/application"]


def test_oci_repository_is_source_too(rendered: Render) -> None:
    objects = rendered(delivery={"repository": "oci://registry.example.com/mlflow", "tools": ("flux",)})

    assert only(objects, "OCIRepository", "mlflow-test")["spec"]["url"] == "oci://registry.example.com/mlflow"
    assert only(objects, "Kustomization", "mlflow-test-database")["spec"]["sourceRef"]["kind"] == "OCIRepository"


def test_argo_cd_tries_again_and_applies_both_folders(rendered: Render) -> None:
    spec = only(rendered(), "Application", "mlflow-test")["spec"]

    assert [source["path"] for source in spec["sources"]] == ["dist/test/database", "dist/test/application"]
    assert spec["syncPolicy"]["retry"] | {"backoff": None} == {"limit": 5, "refresh": True, "backoff": None}


WAVES: Mapping[str, int] = {
    "Namespace": -30,
    "ServiceAccount": -20,
    "NetworkPolicy": -20,
    "ExternalSecret": -20,
    "Database": -10,
    "DatabaseRole": -12,
    "Job": -5,
}


def test_no_object_waits_for_one_of_later_wave(rendered: Render) -> None:
    objects = rendered(ingress={"cloudflared": {}})
    applied = {key: o for key, o in objects.items() if key[1] not in ("flux-system", "argocd")}

    waves = {
        key: int(o["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", 0))
        for key, o in applied.items()
    }
    assert waves == {key: WAVES.get(key[0], 0) for key in applied}


def test_cloud_identity_needs_no_keys(rendered: Render) -> None:
    objects = rendered(artifacts={"kind": "s3", "endpoint": None, "credentials": "service-account"})

    assert not any(name == "mlflow-s3-secret" for _, _, name in objects)
    assert "AWS_SHARED_CREDENTIALS_FILE" not in environment(objects)


def test_private_authority_is_mounted_where_programs_look(rendered: Render) -> None:
    objects = rendered(server={"ca_bundle": {"name": "company-ca"}})
    mounts = {mount["mountPath"] for mount in server(objects)["volumeMounts"]}

    assert "/var/run/secrets/mlflow/ca" in mounts


def test_read_only_pauses_what_deletes(rendered: Render) -> None:
    usual, objects = rendered(release="3.17.2"), rendered(release="3.17.2", server={"read_only": True})

    suspended = {name for (kind, _, name), o in objects.items() if kind == "CronJob" and o["spec"].get("suspend")}
    assert environment(objects)["MLFLOW_SSO_READ_ONLY"] == "true"
    assert suspended == {"mlflow-gc", "mlflow-prune-sessions"}
    assert "MLFLOW_SSO_READ_ONLY" not in environment(usual)
    assert {name for (kind, _, name) in objects if kind == "Job"} == {
        name for (kind, _, name) in usual if kind == "Job"
    }
