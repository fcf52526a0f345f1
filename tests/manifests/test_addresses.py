"""Text that can never match what it is compared with is refused, with what to write instead."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.error_messages import error_messages
from cdk8s_mlflow.settings.errors import UnreadableSettingsError
from cdk8s_mlflow.settings.reach import Address, reach
from cdk8s_mlflow.settings.sources import overrides
from tests.manifests.conftest import MINIMAL, merged

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "origin without a scheme": ({"server": {"cors_origins": ["notebooks.example.com"]}}, "needs its scheme"),
    "origin with a slash": ({"server": {"cors_origins": ["https://n.example.com/"]}}, "no slash at the end"),
    "origin with a path": ({"server": {"cors_origins": ["https://n.example.com/lab"]}}, "send no path"),
    "origin with its usual port": ({"server": {"cors_origins": ["https://n.example.com:443"]}}, "leave the usual port"),
    "origin with capitals": ({"server": {"cors_origins": ["https://N.example.com"]}}, "in lower case"),
    "origin of another scheme": ({"server": {"cors_origins": ["ftp://n.example.com"]}}, "https or http"),
    "origin with a login": ({"server": {"cors_origins": ["https://me@n.example.com"]}}, "no login"),
    "origin of any host": ({"server": {"cors_origins": ["https://*"]}}, "must name hosts"),
    "origin of any port": ({"server": {"cors_origins": ["https://n.example.com:99999"]}}, "1 to 65535"),
    "origin null": ({"server": {"cors_origins": ["null"]}}, "must name hosts"),
    "host with a scheme": ({"server": {"allowed_hosts": ["https://m.example.com/"]}}, "without a scheme"),
    "host with a slash": ({"server": {"allowed_hosts": ["m.example.com/"]}}, "without a path or slash"),
    "host with capitals": ({"server": {"allowed_hosts": ["M.example.com"]}}, "in lower case"),
    "host without its port": ({"server": {"allowed_hosts": ["m.example.com:"]}}, "1 to 65535"),
    "host of any domain": ({"server": {"allowed_hosts": ["mlflow.*"]}}, "web pages of any domain"),
    "host with a space": ({"server": {"allowed_hosts": ["m.example.com "]}}, "must be a Host header"),
    "proxy by name": ({"server": {"trusted_proxies": ["traefik"]}}, "names are not compared"),
    "proxy network too long": ({"server": {"trusted_proxies": ["10.0.0.0/33"]}}, "must be a network"),
    "proxy network of all": ({"server": {"trusted_proxies": ["0.0.0.0/0"]}}, "forge its address"),
    "proxy network of all IPv6": ({"server": {"trusted_proxies": ["::/0"]}}, "forge its address"),
    "address as a network": ({"network": {"database_cidrs": ["10.0.0.5"]}}, "write 10.0.0.5/32"),
    "IPv6 address as a network": ({"network": {"redis_cidrs": ["2001:db8::5"]}}, "write 2001:db8::5/128"),
    "IPv4 in IPv6 as a network": ({"network": {"database_cidrs": ["::ffff:10.0.0.0/104"]}}, "as IPv4: 10.0.0.0"),
    "network of an interface": ({"network": {"dns_cidrs": ["fe80::1%eth0/128"]}}, "remove %eth0"),
    "IPv4 in IPv6 as an alias": (
        {"pods": {"host_aliases": {"::ffff:10.0.0.1": ["auth.example.com"]}}},
        "pods.host_aliases.::ffff:10.0.0.1: must be written as IPv4: 10.0.0.1",
    ),
    "alias of an interface": ({"pods": {"host_aliases": {"fe80::1%eth0": ["auth.example.com"]}}}, "remove %eth0"),
    "IPv4 in IPv6 as PostgreSQL": ({"database": {"host": "::ffff:10.0.0.5"}}, "as IPv4: 10.0.0.5"),
    "S3 on an interface": ({"artifacts": {"endpoint": "https://[fe80::9%eth0]:9000"}}, "remove %eth0"),
    "short Git address": (
        {"delivery": {"repository": "git@git.example.com:team/mlflow.git"}},
        "write ssh://git@git.example.com/team/mlflow.git",
    ),
    "short Git address with ssh": (
        {"delivery": {"repository": "ssh://git@git.example.com:team/mlflow.git"}},
        "write ssh://git@git.example.com/team/mlflow.git",
    ),
    "Git host only": ({"delivery": {"repository": "https://git.example.com"}}, "must name a repository"),
    "Keycloak with a path": ({"authentication": {"keycloak_host": "auth.example.com/auth"}}, "keycloak_path"),
    "Keycloak with a port": ({"authentication": {"keycloak_host": "auth.example.com:8443"}}, "keycloak_port"),
    "Redis with a port": ({"authentication": {"redis": {"host": "redis.redis.svc:6379"}}}, "setting of its own"),
    "Redis as a URL": ({"authentication": {"redis": {"host": "redis://redis"}}}, "without a scheme"),
    "PostgreSQL half an address": ({"database": {"host": "10.0.0"}}, "must be an IPv4 address"),
    "S3 with a login": ({"artifacts": {"endpoint": "https://a@s3.example.com"}}, "must hold no login"),
    "S3 with the bucket": (
        {"artifacts": {"endpoint": "https://mlflow.s3.example.com"}},
        "names the bucket mlflow too",
    ),
    "plain S3 of another domain": (
        {"artifacts": {"endpoint": "http://minio.minio.svc.example.com"}},
        "is not in the cluster",
    ),
    "plain Vault": ({"secrets": {"vault_address": "http://vault.example.com"}}, "must start with https://"),
    "moving tag": ({"image": {"tag": "latest"}}, "image.tag: is latest, which moves"),
    "moving tag of a branch": ({"image": {"tag": "3.6.0-main"}}, "which moves"),
    "moving tag of the tunnel": ({"ingress": {"cloudflared": {"image": "cloudflare/cloudflared:latest"}}}, "moves"),
    "placeholder repository": ({"ingress": {"host": "mlflow.acme.io"}}, "delivery.repository: is https://git.example"),
    "Keycloak on our host": ({"authentication": {"keycloak_host": "mlflow.example.com"}}, "which MLflow serves"),
    "Keycloak on our path": (
        {"authentication": {"keycloak_host": "mlflow.example.com", "keycloak_path": "/oidc"}},
        "authentication.keycloak_path: is /oidc",
    ),
    "address with a name's TLS": ({"database": {"host": "10.0.0.5"}}, "database.sslmode: is verify-full"),
}

TAKEN: dict[str, dict[str, Any]] = {
    "origins": {
        "server": {"cors_origins": ["https://n.example.com", "http://localhost:8888", "https://*.hub.example.com"]}
    },
    "hosts": {"server": {"allowed_hosts": ["10.42.*:9090", "*.example.com", "m.example.com:8080", "[2001:db8::1]:80"]}},
    "proxies": {
        "release": "3.17.2",
        "server": {"trusted_proxies": ["10.1.2.3", "10.42.0.0/16", "fd00::/8", "2001:db8::1"]},
    },
    "Git by ssh": {
        "delivery": {"repository": "ssh://git@git.example.com:2222/team/mlflow.git", "credentials_secret": "git"}
    },
    "Keycloak below a path": {"authentication": {"keycloak_host": "mlflow.example.com", "keycloak_path": "/auth"}},
    "Keycloak on another port": {"authentication": {"keycloak_host": "mlflow.example.com", "keycloak_port": 8443}},
    "moving tag with a digest": {"image": {"tag": "latest", "digest": "sha256:" + "0" * 64}},
    "real host with a repository": {
        "ingress": {"host": "mlflow.acme.io"},
        "delivery": {"repository": "https://git.acme.io/platform/mlflow.git"},
    },
}


def test_local_file_refuses_unknown_variables(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env.local"
    dotenv.write_text("MLFLOW_HSOT=m.example.com\nKEYCLOAK_ADMIN_PASSWORD=x\nIMAGE_REPOSITORY=mlflow\n")

    with pytest.raises(UnreadableSettingsError) as refused:
        overrides({}, dotenv)

    assert [problem.key for problem in refused.value.problems] == ["MLFLOW_HSOT", "KEYCLOAK_ADMIN_PASSWORD"]
    assert "did you mean MLFLOW_HOST?" in refused.value.problems[0].message
    assert "set it in the environment" in refused.value.problems[1].message


def refusals(changes: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate_json(json.dumps(merged(MINIMAL, changes)))
    return "\n".join(f"{key}: {message}" for key, message in error_messages(refused.value))


@pytest.mark.parametrize("name", REFUSED)
def test_unmatchable_text_is_refused(name: str) -> None:
    changes, message = REFUSED[name]

    assert message in refusals(changes)


@pytest.mark.parametrize("name", TAKEN)
def test_matchable_text_is_taken(name: str) -> None:
    document = merged(MINIMAL, TAKEN[name])

    settings = Settings.model_validate_json(json.dumps(document))

    assert settings.ingress.host


def test_ipv4_in_a_url_is_one_to_policies() -> None:
    settings = Settings.model_validate(MINIMAL)

    assert reach("[::ffff:10.0.0.9]", settings) == Address(("10.0.0.9/32",))
