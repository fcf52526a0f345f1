"""A setting that is given and changes nothing is refused, whatever it is that switches it off."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.effect_rules import RULES
from cdk8s_mlflow.settings.spelling import setting_keys
from cdk8s_mlflow.synth.render import render
from tests.manifests.bases import BASES, BOOTSTRAP, GATEWAY, NO_POLICIES, TUNNEL, base, is_taken, value_of, with_setting
from tests.manifests.conftest import merged
from tests.manifests.objects import MINIMAL
from tests.manifests.other_values import SECTIONS, leaves, others
from tests.manifests.readers import READERS
from tests.manifests.reads import recorded
from tests.manifests.refusals import refused

EVICTION = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
AZURE = {"kind": "azure", "endpoint": "https://account.blob.core.windows.net", "credentials": "service-account"}
CLIENT_ID = {"azure.workload.identity/client-id": "00000000-0000-4000-8000-00000000000a"}

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("ingress.class_name", {"ingress": {"enabled": False, "class_name": "edge"}}, "ingress.enabled"),
    ("ingress.controller", {"ingress": {"enabled": False, "controller": "nginx"}, **NO_POLICIES}, "network.policies"),
    ("ingress.entry_point_tls", {"ingress": {"enabled": False, "entry_point_tls": False}}, "ingress.enabled"),
    ("ingress.limits", {"ingress": {"enabled": False, "limits": {"login_burst": 5}}}, "ingress.enabled"),
    ("ingress.middleware", {"ingress": {"enabled": False, "middleware": False}}, "ingress.enabled"),
    ("ingress.issuer_kind", {"ingress": {"cluster_issuer": None, "issuer_kind": "Issuer"}}, "cluster_issuer"),
    (
        "ingress.limits",
        {"ingress": {"controller": "traefik", "middleware": False, "limits": {"login_burst": 5}, **GATEWAY}},
        "ingress.middleware",
    ),
    (
        "ingress.limits.forwarded_depth",
        {
            "ingress": {
                "limits": {
                    "forwarded_depth": 2,
                    **dict.fromkeys(("requests_in_flight", "logins_per_second", "logins_in_flight"), 0),
                }
            }
        },
        "no limit",
    ),
    (
        "network.ingress_container_port",
        {"network": {"ingress_container_port": 9443, "proxy": SECTIONS["network.proxy"]}},
        "network.proxy",
    ),
    ("network.dns_cidrs", {"network": {"policies": False, "dns_cidrs": ("10.0.0.10/32",)}}, "network.policies"),
    (
        "network.proxy.cidrs",
        {"network": {"policies": False, "proxy": {"url": "http://10.0.0.3:3128", "cidrs": ("10.0.0.0/8",)}}},
        "network.policies",
    ),
    ("network.redis_cidrs", {"network": {"redis_cidrs": ("10.0.0.0/8",)}}, "authentication.redis"),
    ("network.backup_cidrs", {"network": {"backup_cidrs": ("10.0.0.0/8",)}}, "backup.endpoint"),
    ("monitoring.namespace", {"monitoring": {"namespace": "other"}, **NO_POLICIES}, "network.policies"),
    ("monitoring.interval", {"monitoring": {"service_monitor": False, "interval": "45s"}}, "service_monitor"),
    ("monitoring.latency_seconds", {"monitoring": {"latency_seconds": "5.0"}}, "monitoring.rules"),
    ("monitoring.dashboard_labels", {"monitoring": {"dashboard_labels": {"a": "b"}}}, "monitoring.dashboard"),
    ("backup.cluster.maximum_age_hours", {"backup": {"cluster": {"maximum_age_hours": 50}}}, "monitoring.rules"),
    (
        "maintenance.retention_days",
        {"maintenance": {"garbage_collection": False, "retention_days": 7}},
        "maintenance.garbage_collection",
    ),
    (
        "maintenance.end_access_schedule",
        {"maintenance": {"end_access_schedule": "1 * * * *"}, "authentication": {"directory_client": None}},
        "authentication.directory_client",
    ),
    ("secrets.vault_prefix", {"secrets": {"mode": "kubernetes", "vault_prefix": "other"}}, "mode kubernetes"),
    ("secrets.vault_role", {"secrets": {"vault_role": "other"}}, "secrets.vault_auth is kubernetes"),
    ("secrets.vault_auth_mount", {"secrets": {"vault_auth_mount": "other"}}, "vault_auth token"),
    ("delivery.flux_namespace", {"delivery": {"tools": ("argocd",), "flux_namespace": "other"}}, "add that"),
    ("delivery.retries", {"delivery": {"tools": ("flux",), "retries": 9}}, "add that"),
    ("delivery.revision", {"delivery": {"tools": (), "revision": "other"}}, "name the tool"),
    ("database.cluster", {"database": {"host": "db.example.com", "cluster": "other", **BOOTSTRAP}}, "database.host"),
    ("database.cnpg_version", {"database": {"cnpg_version": "1.31", **BOOTSTRAP}}, "CloudNativePG"),
    ("artifacts.policy", {"artifacts": {"kind": "s3", "endpoint": None, "policy": "other"}}, "is minio"),
    (f"pods.annotations.{next(iter(EVICTION))}", {"pods": {"annotations": EVICTION}}, "server.pod_annotations"),
    (
        "server.pod_labels.azure.workload.identity/use",
        {
            "artifacts": AZURE,
            "release": "3.17.2",
            "server": {
                "service_account_annotations": CLIENT_ID,
                "pod_labels": {"azure.workload.identity/use": "false"},
            },
        },
        "artifacts.credentials",
    ),
]

TAKEN: list[dict[str, Any]] = [
    {
        "network": {
            "ingress_container_port": 9443,
            "proxy": {**SECTIONS["network.proxy"], "no_proxy": ("auth.example.com",)},
        }
    },
    # The default, said aloud, and what is empty anyway.
    {"monitoring": {"service_monitor": False, "interval": "30s", "latency_seconds": "2.5", "alert_labels": {}}},
    {
        "ingress": {
            "enabled": False,
            "class_name": None,
            "tls_secret": None,
            "annotations": {},
            "hsts_seconds": 31536000,
        }
    },
    {"delivery": {"tools": (), "flux_namespace": "flux-system"}},
    # Its default follows from the instance.
    {"instance": "mlflow-a", "secrets": {"mode": "kubernetes", "vault_prefix": "mlflow-a"}},
    # Without an Ingress nothing may be required of it.
    {"ingress": {"enabled": False, "controller": "other"}, "network": {"ingress_namespace": "edge"}},
    {"ingress": {"enabled": False, "entry_point_tls": False, **TUNNEL}},
    # Others that read the same key.
    {"ingress": {"enabled": False, "controller": "openshift"}, "server": {"user_id": None}},
    {"database": {"host": "db.example.com", "cluster": "other"}, "network": {"database_cidrs": ("10.0.0.0/8",)}},
    {"monitoring": {"service_monitor": False, "rules": True, "labels": {"a": "b"}}},
    {"database": {"role_management": "managed-roles", "database_management": "bootstrap", "object_name": "other"}},
    {"server": {"pod_annotations": EVICTION}},
]


def silent(document: Mapping[str, Any], settings: Settings, read: set[str]) -> Iterator[str]:
    """Settings that are not ``read`` and could be given all the same."""
    for key, annotation in leaves():
        section = key.rpartition(".")[0]
        is_absent = section in SECTIONS and value_of(settings, section) is None
        if key in read or key in READERS or is_absent:
            continue
        values = others(key, annotation, value_of(settings, key))
        assert values, f"{key} needs a value in other_values.py"
        yield from [key for value in values[:1] if is_taken(with_setting(document, key, value))]


@pytest.mark.parametrize("name", BASES)
def test_unread_setting_is_refused(name: str, tmp_path: Path) -> None:
    document = base(name)
    settings = Settings.model_validate(document)

    with recorded(settings) as read:
        render(settings, environment="test", folder=tmp_path)

    assert list(silent(document, settings, read)) == []


@pytest.mark.parametrize(("key", "changes", "remedy"), REFUSED, ids=str)
def test_setting_without_effect_is_refused(key: str, changes: dict[str, Any], remedy: str) -> None:
    found = refused(**merged(MINIMAL, changes))

    assert list(found) == [key]
    assert found[key].startswith("has no effect")
    assert remedy in found[key]


@pytest.mark.parametrize("changes", TAKEN, ids=str)
def test_setting_that_asks_for_nothing_is_taken(changes: dict[str, Any]) -> None:
    assert Settings.model_validate(merged(MINIMAL, changes))


def test_rules_name_settings() -> None:
    named = {key for rule in RULES for key in rule.keys}

    assert named <= set(setting_keys())
