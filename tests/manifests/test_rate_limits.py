"""What Traefik lets one source do, and where."""

from typing import Any

import pytest

from tests.manifests.objects import Objects, Render

MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"


def chains(objects: Objects) -> dict[str, list[str]]:
    """Names of the Middlewares by path."""
    found = {}
    for (kind, namespace, _), body in objects.items():
        if kind == "Ingress":
            chain = body["metadata"]["annotations"].get(MIDDLEWARES, "")
            names = [name.removeprefix(f"{namespace}-").removesuffix("@kubernetescrd") for name in chain.split(",")]
            for path in body["spec"]["rules"][0]["http"]["paths"]:
                found[path["path"]] = [name for name in names if name]
    return found


def limits(objects: Objects) -> dict[str, dict[str, Any]]:
    """Specifications of the Middlewares that count, by name."""
    middlewares = {name: body["spec"] for (kind, _, name), body in objects.items() if kind == "Middleware"}
    return {name: spec for name, spec in middlewares.items() if "inFlightReq" in spec or "rateLimit" in spec}


def test_login_paths_have_limits_of_their_own(rendered: Render) -> None:
    found = chains(rendered())

    assert found["/"] == ["mlflow-in-flight", "mlflow-headers"]
    login = ["mlflow-login-in-flight", "mlflow-login-rate", "mlflow-headers"]
    assert (found["/login"], found["/callback"]) == (login, login)


def test_limits_count_by_source(rendered: Render) -> None:
    # Zero is the address of the connection itself (Traefik, ipStrategy).
    by_address = {"ipStrategy": {"depth": 0}}

    assert limits(rendered()) == {
        "mlflow-in-flight": {"inFlightReq": {"amount": 500, "sourceCriterion": by_address}},
        "mlflow-login-in-flight": {"inFlightReq": {"amount": 50, "sourceCriterion": by_address}},
        "mlflow-login-rate": {"rateLimit": {"average": 10, "burst": 100, "sourceCriterion": by_address}},
    }


@pytest.mark.parametrize(
    ("ingress", "depth"),
    [
        # The tunnel's pod is one proxy more in front of Traefik.
        ({"cloudflared": {}}, 1),
        ({"cloudflared": {}, "limits": {"forwarded_depth": 2}}, 2),
        ({"cloudflared": {}, "limits": {"forwarded_depth": 0}}, 0),
        ({"limits": {"forwarded_depth": 3}}, 3),
    ],
)
def test_limits_count_past_proxies(rendered: Render, ingress: dict[str, Any], depth: int) -> None:
    specs = limits(rendered(ingress=ingress)).values()

    criteria = [next(iter(spec.values()))["sourceCriterion"] for spec in specs]
    assert criteria == [{"ipStrategy": {"depth": depth}}] * 3


@pytest.mark.parametrize(
    ("given", "left"),
    [
        ({"requests_in_flight": 0}, {"mlflow-login-in-flight", "mlflow-login-rate"}),
        ({"logins_per_second": 0}, {"mlflow-in-flight", "mlflow-login-in-flight"}),
        ({"requests_in_flight": 0, "logins_per_second": 0, "logins_in_flight": 0}, set()),
    ],
)
def test_limit_of_zero_is_not_written(rendered: Render, given: dict[str, int], left: set[str]) -> None:
    objects = rendered(ingress={"limits": given})

    assert set(limits(objects)) == left
    assert {name for chain in chains(objects).values() for name in chain} == left | {"mlflow-headers"}


def test_only_main_ingress_asks_for_certificate(rendered: Render) -> None:
    ingresses = [body["metadata"] for (kind, _, _), body in rendered().items() if kind == "Ingress"]

    asking = [about["name"] for about in ingresses if "cert-manager.io/cluster-issuer" in about["annotations"]]

    # Two would order two certificates for one Secret.
    assert asking == ["mlflow"]


def test_no_middleware_means_no_limits(rendered: Render) -> None:
    objects = rendered(ingress={"middleware": False})

    assert limits(objects) == {}
    assert "/login" not in chains(objects)
