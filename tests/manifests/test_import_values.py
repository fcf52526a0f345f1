"""Another installation's settings become an environment that renders, or are named with a reason."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from cdk8s_mlflow.console import app
from cdk8s_mlflow.importing.chart import AREAS
from cdk8s_mlflow.settings import load
from cdk8s_mlflow.settings.foreign_keys import EQUIVALENTS, REASONS
from cdk8s_mlflow.settings.spelling import setting_keys
from cdk8s_mlflow.synth.render import render
from cdk8s_mlflow.validation import validate

HERE = Path(__file__).parent / "imported"
SECRETS = (
    "correct-horse",
    "staple-secret-value",
    "wJalrXUtnFEMI",
    "AKIAABCDEFGHIJKLMNOP",
    "0123456789",
    "abcdefghijkl",
)
CHART = (
    *("replicaCount", "image", "strategy", "imagePullSecrets", "nameOverride", "fullnameOverride"),
    *("serviceAccount", "podAnnotations", "extraPodLabels", "podSecurityContext", "securityContext", "service"),
    *("log", "telemetry", "backendStore", "postgresql", "mysql", "artifactRoot", "flaskServerSecretKey"),
    *("auth", "ldapAuth", "autoscaling", "extraArgs", "extraFlags", "extraEnvVars"),
    *("extraSecretNamesForEnvFrom", "ingress", "resources", "serviceMonitor", "nodeSelector", "tolerations"),
    *("affinity", "initContainers", "extraContainers", "extraVolumes", "extraVolumeMounts", "livenessProbe"),
    *("readinessProbe", "corsAllowedOrigins", "deploymentAnnotations", "extraDeploy", "initImages", "minio"),
    *("oauth2Proxy", "oidcAuth", "priorityClassName", "revisionHistoryLimit", "serverAllowedHosts"),
    *("serverHost", "garbageCollection", "httpRoute"),
)
OURS_TOO = {"image", "ingress"}
"""Areas of the chart that are sections here as well."""

Import = Callable[..., Result]


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    def run(file: Path, *arguments: str) -> Result:
        folder = ["--environments", str(tmp_path / "environments")]
        return CliRunner().invoke(app, ["import-values", str(file), *folder, *arguments])

    return run


def values(text: str, folder: Path) -> Path:
    file = folder / "values.yaml"
    file.write_text(text)
    return file


def test_chart_values_become_environment_that_renders(imported: Import, tmp_path: Path) -> None:
    done = imported(HERE / "chart.yaml", "--name", "taken")

    settings = load(tmp_path / "environments" / "taken.yaml")
    render(settings, environment="taken", folder=tmp_path / "dist")
    assert done.exit_code == 0, done.output
    assert validate(tmp_path / "dist") == []
    assert (settings.release, settings.instance) == ("3.17.2", "mlflow-taken")
    assert (settings.server.replicas, settings.server.workers, settings.server.log_level) == (2, 2, "WARNING")
    assert (settings.database.cluster, settings.database.cluster_namespace) == ("postgres-cluster", "databases")
    assert (settings.database.name, settings.database.auth_name, settings.database.role) == (
        "tracking",
        "users",
        "tracker",
    )
    assert (settings.database.role_management, settings.database.database_management) == ("bootstrap", "bootstrap")
    assert (settings.database.pool_size, settings.artifacts.bucket) == (4, "ml-artifacts")
    assert (settings.artifacts.kind, settings.artifacts.endpoint) == ("s3", "https://s3.example.org")
    assert settings.artifacts.region == "eu-central-1"
    login = settings.authentication
    assert (login.keycloak_url, login.realm) == ("https://auth.example.org/auth", "people")
    assert (login.client_id, login.user_group, login.admin_group) == ("tracking", "data", "data-admins")
    assert (login.default_permission, login.provider_name) == ("READ", "Log in")
    assert settings.ingress.hosts == ("ml.example.org", "ml.internal.example.org")
    assert (settings.ingress.controller, settings.ingress.timeout_seconds) == ("nginx", 1200)
    assert (settings.ingress.tls_secret, settings.ingress.cluster_issuer) == ("ml-tls", "internal")
    assert settings.server.resources.memory_limit == "3Gi"
    assert [item.key for item in settings.server.tolerations] == ["ml"]
    assert (settings.maintenance.garbage_collection_schedule, settings.maintenance.retention_days) == ("0 4 * * *", 14)
    assert settings.server.cors_origins == ("https://notebooks.example.org",)


def test_chart_values_without_place_have_reason(imported: Import) -> None:
    lines = imported(HERE / "chart.yaml").output.splitlines()

    left = {line.split(": ")[1]: line for line in lines if line.startswith("left out: ")}
    assert "`cdk8s-mlflow image build-and-push`" in left["image"]
    assert "is a secret" in left["backendStore.postgres.password"]
    assert "science too" in left["oidcAuth.groupName"]
    assert "under a prefix moves routes" in left["extraArgs.staticPrefix"]
    assert "server.ca_bundle" in left["extraEnvVars.MLFLOW_S3_IGNORE_TLS"]
    assert "not known to be harmless" in left["extraEnvVars.OUR_OWN_THING"]
    assert "is a wildcard" in left["serverAllowedHosts"]
    assert "not known to this version" in left["weather"]
    assert {"livenessProbe", "serverHost", "runAsUser", "service.port", "oidcAuth.scope"} <= left.keys()
    assert not {"auth", "ldapAuth", "mysql", "postgresql", "telemetry"} & left.keys()


def test_pods_of_chart_become_settings(imported: Import, tmp_path: Path) -> None:
    hosts = ("--mlflow-host", "a.example.org", "--keycloak-host", "b.example.org")

    done = imported(HERE / "pods.yaml", *hosts)

    settings = load(tmp_path / "environments" / "production.yaml")
    render(settings, environment="production", folder=tmp_path / "dist")
    server = settings.server
    assert done.exit_code == 0, done.output
    assert validate(tmp_path / "dist") == []
    assert (server.max_surge, server.revision_history, server.service_account) == (2, 5, "ml-runner")
    assert (settings.pods.labels, server.service.annotations) == ({"team": "ml"}, {"example.com/owner": "ml"})
    assert [(item.key, item.values) for item in server.node_affinity] == [("pool", ("ml",))]
    assert [(volume.name, volume.kind) for volume in server.volumes] == [("rules", "ConfigMap")]
    assert [container.arguments for container in server.sidecars] == [("--level", "3")]
    assert "left out: extraVolumes.host: is a hostPath" in done.output
    assert "left out: extraContainers.odd: has fields that are no settings" in done.output
    assert "left out: affinity.podAntiAffinity" in done.output


AZURE_CHART = """
artifactRoot:
  proxiedArtifactStorage: true
  azureBlob: {enabled: true, storageAccount: exampleaccount, container: models, path: team/, accessKey: c2VjcmV0}
"""


BLOBS = "wasbs://models@exampleaccount.blob.core.windows.net/team"

GOOGLE_CHART = "artifactRoot: {gcs: {enabled: true, bucket: models, path: team/}, proxiedArtifactStorage: true}"


@pytest.mark.parametrize(
    ("name", "text", "destination"),
    [
        ("values.yaml", AZURE_CHART, BLOBS),
        ("recipe.env", f"MLFLOW_ARTIFACTS_DESTINATION={BLOBS}\n", BLOBS),
        ("values.yaml", GOOGLE_CHART, "gs://models/team"),
        ("recipe.env", "MLFLOW_ARTIFACTS_DESTINATION=gs://models/team\n", "gs://models/team"),
    ],
)
def test_store_of_cloud_is_carried_over(
    imported: Import, tmp_path: Path, name: str, text: str, destination: str
) -> None:
    file = tmp_path / name
    file.write_text(text)

    done = imported(file, "--mlflow-host", "a.example.org", "--keycloak-host", "b.example.org")

    artifacts = load(tmp_path / "environments" / "production.yaml").artifacts
    assert done.exit_code == 0, done.output
    assert artifacts.destination == destination
    assert "c2VjcmV0" not in done.output


@pytest.mark.parametrize("file", ["chart.yaml", "recipe.env"])
def test_import_writes_and_prints_no_secret(imported: Import, tmp_path: Path, file: str) -> None:
    done = imported(HERE / file)

    text = done.output + (tmp_path / "environments" / "production.yaml").read_text()
    assert [secret for secret in SECRETS if secret in text] == []


def test_recipe_becomes_environment(imported: Import, tmp_path: Path) -> None:
    done = imported(HERE / "recipe.env")

    found = yaml.safe_load((tmp_path / "environments" / "production.yaml").read_text())
    assert found["namespace"] == "tracking"
    assert found["ingress"] == {"host": "ml.example.org"}
    assert found["image"] == {"registry": "registry.example.org:5000"}
    assert found["database"]["host"] == "db.example.org"
    assert (found["database"]["port"], found["database"]["auth_name"]) == (5433, "users")
    assert found["artifacts"] == {
        "bucket": "ml-artifacts",
        "prefix": "mlflow",
        "endpoint": "http://minio.minio.svc:9000",
        "kind": "minio",
        "encryption": "AES256",
    }
    assert found["server"] == {"log_level": "DEBUG"}
    assert found["network"]["proxy"] == {"url": "http://proxy.example.org:3128", "no_proxy": [".example.org"]}
    assert "left out: MLFLOW_S3_UPLOAD_EXTRA_ARGS.ACL: is not a setting" in done.output


REFUSED: Mapping[str, tuple[str, str]] = {
    "another chart": ("tracking: {enabled: true}\n", "bitnami/mlflow, which is not read"),
    "nothing of MLflow's": ("a: 1\n", "no chart for MLflow that is known"),
    "not YAML": ("a: [1\n", "not valid YAML"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_import_refuses_other_files(imported: Import, tmp_path: Path, name: str) -> None:
    text, message = REFUSED[name]

    done = imported(values(text, tmp_path))

    assert (done.exit_code, message in done.output) == (2, True)
    assert not (tmp_path / "environments").exists()


def test_import_replaces_no_environment(imported: Import, tmp_path: Path) -> None:
    imported(HERE / "chart.yaml")
    before = (tmp_path / "environments" / "production.yaml").read_bytes()

    done = imported(HERE / "recipe.env")

    assert done.exit_code == 2
    assert "exists already" in done.output
    assert (tmp_path / "environments" / "production.yaml").read_bytes() == before


def test_import_names_what_is_missing(imported: Import, tmp_path: Path) -> None:
    file = values("replicaCount: 1\nbackendStore: {mysql: {enabled: true, host: db}}\n", tmp_path)

    done = imported(file)
    completed = imported(file, "--name", "other", "--mlflow-host", "a.example.org", "--keycloak-host", "b.example.org")

    assert done.exit_code == 1
    assert "ingress: is required" in done.output
    assert "authentication: is required" in done.output
    assert "left out: backendStore.mysql: is not supported" in done.output
    assert completed.exit_code == 0, completed.output


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("replicaCount: two\n", "replicaCount"),
        ("replicaCount: 1\noidcAuth: yes please\n", "oidcAuth"),
        ("replicaCount: 1\ningress: [a]\n", "ingress"),
        ("replicaCount: 1\ntolerations: [a]\n", "tolerations"),
        ("replicaCount: 1\nautoscaling: {enabled: true, maxReplicas: many}\n", "autoscaling"),
    ],
)
def test_import_guesses_at_no_unknown_form(imported: Import, tmp_path: Path, text: str, area: str) -> None:
    hosts = ("--mlflow-host", "a.example.org", "--keycloak-host", "b.example.org")

    done = imported(values(text, tmp_path), *hosts)

    assert done.exit_code == 0, done.output
    assert f"left out: {area}: has a form that the chart does not document" in done.output


@pytest.mark.parametrize(
    # MLflow's databases go only upwards: the nearest release that is not below the image.
    ("tag", "release"),
    [("3.6.0", "3.6.0"), ("2.22.0", "3.6.0"), ("3.16.1", "3.17.2"), ("", "3.17.2")],
)
def test_import_takes_release_of_image(imported: Import, tmp_path: Path, tag: str, release: str) -> None:
    hosts = ("--mlflow-host", "a.example.org", "--keycloak-host", "b.example.org")

    imported(values(f"replicaCount: 1\nimage: {{tag: '{tag}'}}\n", tmp_path), *hosts)

    assert load(tmp_path / "environments" / "production.yaml").release == release


@pytest.mark.parametrize("area", sorted(set(CHART) - OURS_TOO))
def test_every_area_of_chart_is_explained(area: str, tmp_path: Path) -> None:
    file = tmp_path / "environments" / "production.yaml"
    file.parent.mkdir()
    file.write_text(f"ingress: {{host: a.example.com}}\nauthentication: {{keycloak_host: b.example.com}}\n{area}: 1\n")

    done = CliRunner().invoke(app, ["synth", "--environments", str(file.parent), "--output", str(tmp_path / "dist")])

    assert done.exit_code == 2
    assert f"{area}: is a setting of another chart" in done.output


@pytest.mark.parametrize("area", CHART)
def test_chart_areas_are_imported_or_left_out(area: str) -> None:
    assert area in AREAS or area in REASONS or area in EQUIVALENTS


@pytest.mark.parametrize("key", sorted(EQUIVALENTS))
def test_every_equivalent_is_setting(key: str) -> None:
    assert EQUIVALENTS[key] in set(setting_keys())


def test_nested_key_of_another_chart_is_explained(tmp_path: Path) -> None:
    file = tmp_path / "environments" / "production.yaml"
    file.parent.mkdir()
    ingress = "ingress: {host: a.example.com, className: nginx, hosts: [], tls: []}\n"
    file.write_text(f"{ingress}authentication: {{keycloak_host: b.example.com}}\n")

    done: Any = CliRunner().invoke(app, ["synth", "--environments", str(file.parent), "--output", str(tmp_path / "d")])

    assert "ingress.className: is a setting of another chart; set ingress.class_name" in done.output
    assert "ingress.hosts: is a setting of another chart; set ingress.host" in done.output
    assert "ingress.tls: is a setting of another chart; set ingress.tls_secret" in done.output
