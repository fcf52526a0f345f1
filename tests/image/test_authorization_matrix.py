"""Every route of the table as every role: the real application serves its roles, and tells others nothing."""

import json
from collections.abc import Mapping

import pytest
from attacked import new_site, run_inside
from realm import OTHERS, Realm
from serving import Site

pytestmark = pytest.mark.servers


def settings(realm: Realm) -> Mapping[str, str]:
    """As the manifests set them where tokens are accepted."""
    authority = str(realm.keycloak.certificate.ca)
    return {
        "SSL_CERT_FILE": authority,
        "REQUESTS_CA_BUNDLE": authority,
        "OIDC_DISCOVERY_URL": realm.discovery_url,
        "OIDC_ISSUER": f"{realm.keycloak.url}/realms/mlflow",
        "OIDC_AUDIENCE": "mlflow",
        "OIDC_GROUP_NAME": "mlflow-admins,mlflow-users",
        "OIDC_ADMIN_GROUP_NAME": "mlflow-admins",
    }


def test_every_route_serves_its_roles_only(users_once: Site, realm: Realm) -> None:
    with new_site(users_once, "grace", **settings(realm)) as site:
        tokens = {"ours": realm.tokens()["access_token"], "others": realm.tokens(client=OTHERS)["access_token"]}
        found = run_inside(site, "ask_every_route.py", json.dumps(tokens))

    assert found["lines"] == []
    assert found["asked"] > 1000
