"""`server.extra_environment` takes what is known to be harmless, and answers everything else with what to do."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.releases import RELEASES
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.extra_environment import HARMLESS, HARMLESS_ON, REASONS, SETTINGS, harmless, refusal
from cdk8s_mlflow.settings.spelling import setting_keys
from cdk8s_mlflow.settings.variable_values import VALUES
from tests.manifests.objects import Objects, Render

UNKNOWN = "is not known to be harmless"
REQUIRED: Mapping[str, Any] = {
    "ingress": {"host": "mlflow.example.com"},
    "authentication": {"keycloak_host": "auth.example.com"},
}
KINDS: dict[str, dict[str, Any]] = {
    "3.6.0": {},
    "3.17.2": {"release": "3.17.2"},
    "3.6.0 with Redis": {"authentication": {"redis": {"host": "redis.redis.svc", "username": "u"}}},
    "3.17.2 with Redis": {"release": "3.17.2", "authentication": {"redis": {"host": "redis.redis.svc"}}},
    "cloud identity": {"artifacts": {"kind": "s3", "endpoint": None, "credentials": "service-account"}},
    "everything else": {
        "release": "3.17.2",
        "ingress": {"cloudflared": {}},
        "server": {"ca_bundle": {"name": "authority"}, "ai_gateway": True, "replicas": 2},
    },
}

REFUSED = {
    "AUTOMATIC_LOGIN_REDIRECT": "follows from authentication.automatic_login_redirect; set that, and remove it here",
    "DEFAULT_LANDING_PAGE_IS_PERMISSIONS": "follows from authentication.land_on_permissions",
    "GIT_PYTHON_REFRESH": "is about git, which the image does not have; remove it",
    "MLFLOW_STATIC_PREFIX": "moves or adds routes",
    "ENABLE_API_DOCS": "moves or adds routes",
    "_MLFLOW_STATIC_PREFIX": "is private to MLflow",
    "_MLFLOW_SERVER_ARTIFACT_ROOT": "is private to MLflow",
    "MLFLOW_SERVER_X_FRAME_OPTIONS": "weakens the headers",
    "SESSION_COOKIE_SAMESITE": "weakens the headers",
    "PYTHONPATH": "changes which code runs",
    "PYTHONSTARTUP": "changes which code runs",
    "LD_PRELOAD": "changes which code runs",
    "OIDC_GROUP_DETECTION_PLUGIN": "changes which code runs",
    "WEB_CONCURRENCY": "follows from server.workers",
    "UVICORN_ROOT_PATH": "is for another server",
    "GUNICORN_CMD_ARGS": "is for another server",
    "FLASK_APP": "is for another server",
    "FORWARDED_ALLOW_IPS": "follows from server.trusted_proxies",
    "PROXY_FIX_X_FOR": "follows from server.trusted_proxies",
    "REQUESTS_CA_BUNDLE": "follows from server.ca_bundle",
    "SSL_CERT_DIR": "follows from server.ca_bundle",
    "OIDC_VERIFY_SSL": "follows from server.ca_bundle",
    "AWS_ENDPOINT_URL_S3": "follows from artifacts.endpoint",
    "AWS_ACCESS_KEY_ID": "follows from artifacts.credentials",
    "AWS_PROFILE": "follows from artifacts.credentials",
    "PGSSLMODE": "follows from database",
    "PGSERVICEFILE": "follows from database",
    "MLFLOW_READ_REPLICA_BACKEND_STORE_URI": "may not have arrived",
    "MLFLOW_TRACKING_URI": "moves a store",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "hands clients addresses of the bucket",
    "MLFLOW_S3_UPLOAD_EXTRA_ARGS": "may open objects to others; set encryption",
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "makes the server connect to addresses that users choose",
    "PERMISSION_SOURCE_ORDER": "changes who may do what",
    "HTTP_PROXY": "leads plain requests elsewhere",
    # Linux tells names of variables apart by their case.
    "HTTPS_proxy": UNKNOWN,
    "pythonpath": UNKNOWN,
    "MLFLOW_NEXT_YEARS_SWITCH": UNKNOWN,
    "MLFLOW_LOGGING_LEVLE": "did you mean MLFLOW_LOGGING_LEVEL?",
    "MY_TEAM": "remove it (docs/settings.md lists those that are)",
}


USUAL = {
    "MLFLOW_LOGGING_LEVEL": "debug",
    "AUDIT_LOG_LEVEL": "WARNING",
    "AWS_RETRY_MODE": "adaptive",
    "AWS_STS_REGIONAL_ENDPOINTS": "regional",
    "AWS_EC2_METADATA_DISABLED": "true",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "MALLOC_TRIM_THRESHOLD_": "-1",
    "MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX": "^mlflow-artifacts:.*$",
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0.5",
    "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": "10485760",
    "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "524288000",
    "MLFLOW_S3_EXPECTED_BUCKET_OWNER": "111122223333",
    "MLFLOW_CONFIGURE_LOGGING": "False",
}
"""A value of each variable that 1 is none of, and of some more."""

UNUSABLE = [
    ("MLFLOW_LOGGING_LEVEL", "DBUG", "DEBUG, INFO, WARNING, ERROR or CRITICAL"),
    ("MLFLOW_LOGGING_LEVEL", "", "DEBUG, INFO"),
    ("MLFLOW_CONFIGURE_LOGGING", "yes", "true or false"),
    ("MLFLOW_CONFIGURE_LOGGING", "true ", "true or false"),
    ("EXTEND_MLFLOW_MENU", "on", "true or false"),
    # botocore takes only this word for yes.
    ("AWS_EC2_METADATA_DISABLED", "1", "true or false"),
    ("AWS_RETRY_MODE", "Standard", "legacy, standard or adaptive"),
    ("AWS_MAX_ATTEMPTS", "0", "a whole number, 1 or more"),
    ("MLFLOW_HTTP_REQUEST_TIMEOUT", "2m", "a whole number of seconds, 1 or more"),
    ("MLFLOW_HTTP_REQUEST_TIMEOUT", "120.5", "a whole number of seconds"),
    ("MLFLOW_HTTP_REQUEST_TIMEOUT", "\u0661", "a whole number of seconds"),
    ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "-1", "a whole number, 0 or more"),
    ("MLFLOW_WEBHOOK_CACHE_TTL", "99999999999", "a whole number of seconds"),
    ("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", "10MB", "a whole number of bytes, 5242880 or more"),
    ("MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE", "1048576", "a whole number of bytes, 5242880 or more"),
    ("MLFLOW_HTTP_REQUEST_BACKOFF_JITTER", "one", "a number such as 1.0"),
    ("MLFLOW_CREATE_MODEL_VERSION_SOURCE_VALIDATION_REGEX", "(s3:", "a regular expression"),
    ("MLFLOW_S3_EXPECTED_BUCKET_OWNER", "my-account", "an account of AWS"),
    ("OMP_NUM_THREADS", "all", "a whole number, 1 or more"),
    ("OIDC_HTTP_TIMEOUT_SECONDS", "10s", "a whole number of seconds, 1 or more"),
]


def messages(release: str, names: Mapping[str, str]) -> str:
    """What is said about variables in an environment file; empty if they are taken."""
    try:
        Settings.model_validate({**REQUIRED, "release": release, "server": {"extra_environment": dict(names)}})
    except ValidationError as error:
        return str(error)
    return ""


def variables(objects: Objects) -> set[str]:
    """The names in the environment of every container of every pod."""
    specs = [found.get("spec", {}) for found in objects.values()]
    templates = [spec.get("template") or spec.get("jobTemplate", {}).get("spec", {}).get("template") for spec in specs]
    pods = [template["spec"] for template in templates if template and "containers" in template.get("spec", {})]
    containers = [one for pod in pods for one in (*pod["containers"], *pod.get("initContainers", ()))]
    return {variable["name"] for container in containers for variable in container.get("env", ())}


@pytest.mark.parametrize("kind", KINDS)
def test_extra_environment_refuses_what_pods_get(rendered: Render, kind: str) -> None:
    release = KINDS[kind].get("release", "3.6.0")

    ours = variables(rendered(**KINDS[kind]))

    keys = {key.variable for key in RELEASES[release].server_keys}
    unexplained = [name for name in ours | keys if name in harmless(release) or UNKNOWN in refusal(name, release)]
    assert len(ours) > 20
    assert unexplained == []


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("name", REFUSED)
def test_extra_environment_refuses_with_remedy(release: str, name: str) -> None:
    said = messages(release, {name: "x"})

    assert f"server.extra_environment.{name}: " in said
    assert REFUSED[name] in said


@pytest.mark.parametrize("release", RELEASES)
def test_extra_environment_takes_what_is_harmless(release: str) -> None:
    assert messages(release, {name: USUAL.get(name, "1") for name in harmless(release)}) == ""


@pytest.mark.parametrize(("name", "value", "must"), UNUSABLE)
def test_values_that_stop_server_are_refused(name: str, value: str, must: str) -> None:
    said = messages("3.17.2", {name: value})

    assert f"server.extra_environment.{name}: is {value!r}, which the server cannot use; it must be {must}" in said


def test_every_harmless_variable_has_its_values() -> None:
    assert set(VALUES) == HARMLESS.union(*HARMLESS_ON.values())


def test_extra_environment_names_release_that_reads_it() -> None:
    said = messages("3.6.0", {"AUDIT_LOG_LEVEL": "DEBUG"})

    assert "server.extra_environment.AUDIT_LOG_LEVEL: has no effect on release 3.6.0, only on 3.17.2; remove it" in said


def test_extra_environment_reaches_server_only(rendered: Render) -> None:
    plain, extra = rendered(), rendered(server={"extra_environment": {"MLFLOW_LOGGING_LEVEL": "DEBUG"}})

    assert variables(extra) - variables(plain) == {"MLFLOW_LOGGING_LEVEL"}
    assert {key for key in plain if plain[key] != extra[key]} == {("Deployment", "mlflow", "mlflow")}


def test_extra_environment_names_real_settings() -> None:
    assert set(SETTINGS.values()) - set(setting_keys()) == set()


def test_extra_environment_lists_are_apart() -> None:
    every = {*HARMLESS, *(name for names in HARMLESS_ON.values() for name in names)}

    assert set(HARMLESS_ON) == set(RELEASES)
    assert [name for name in HARMLESS_ON["3.17.2"] if name in HARMLESS] == []
    assert [name for name in every for pattern in SETTINGS if re.fullmatch(pattern, name)] == []
    assert SETTINGS.keys() & REASONS.keys() == set()
