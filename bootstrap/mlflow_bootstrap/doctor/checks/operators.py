"""The cluster before the first apply: API server, kinds, operators, secret store, issuer, PostgreSQL's Cluster."""

from collections.abc import Iterator

from cdk8s_mlflow.settings.section import at_least
from mlflow_bootstrap.doctor.cluster_reader import Object, collection, condition
from mlflow_bootstrap.doctor.examination import Examination
from mlflow_bootstrap.doctor.line import Line, failed, passed, warned

_BUILT_IN = ("v1", "apps/v1", "batch/v1", "networking.k8s.io/v1", "policy/v1", "autoscaling/v2")
HEALTHY = "Cluster in healthy state"
"""Phase of a CloudNativePG Cluster that works (its source, ``api/v1/cluster_types.go``)."""


def api_server(examined: Examination) -> Iterator[Line]:
    """Whether the API server answers, and with which version."""
    version = examined.cluster.get("/version") or {}
    yield passed("Kubernetes", f"{version.get('gitVersion', 'a server without version')} at {examined.cluster.address}")


def kinds(examined: Examination) -> Iterator[Line]:
    """Whether the cluster knows every kind of the manifests."""
    wanted: dict[str, set[str]] = {}
    for item in examined.committed.objects:
        wanted.setdefault(item["apiVersion"], set()).add(item["kind"])
    for api_version in sorted(wanted.keys() - set(_BUILT_IN)):
        yield _kinds_of(examined, api_version, wanted[api_version])


def _kinds_of(examined: Examination, api_version: str, wanted: set[str]) -> Line:
    served = examined.cluster.get(f"/apis/{api_version}") or {}
    missing = sorted(wanted - {resource["kind"] for resource in served.get("resources", [])})
    name = f"API {api_version}"
    if not missing:
        return passed(name, ", ".join(sorted(wanted)))
    return failed(
        name,
        f"the cluster does not know {', '.join(missing)}",
        means="Flux or Argo CD cannot apply these objects, and stops before all that depend on them",
        do=f"install or upgrade the operator of {api_version.partition('/')[0]}, or change the setting for these kinds",
    )


def operators(examined: Examination) -> Iterator[Line]:
    """Whether each operator that the manifests need runs, in a version that knows their fields."""
    settings = examined.settings
    groups = {item["apiVersion"].partition("/")[0] for item in examined.committed.objects}
    if "postgresql.cnpg.io" in groups:
        yield _operator(examined, "cloudnative-pg", settings.database.cnpg_version, "database.cnpg_version")
    if "external-secrets.io" in groups:
        least = settings.secrets.external_secrets_version
        yield _operator(examined, "external-secrets", least, "secrets.external_secrets_version")
    if settings.ingress.issuer:
        yield _operator(examined, "cert-manager", "1.0", "ingress.cluster_issuer")
    if settings.ingress.uses_middlewares:
        yield _operator(examined, "traefik", settings.ingress.traefik_version, "ingress.traefik_version")


def _operator(examined: Examination, name: str, least: str, setting: str) -> Line:
    found = examined.controllers_named(name)
    title = f"operator {name}"
    if not found:
        return warned(
            title,
            f"no Deployment has the label app.kubernetes.io/name={name}",
            means="it is not installed, or under labels of its own, so that its version is not known",
            do=f"install {least} or newer, unless it runs under other labels",
        )
    # An upgrade, or a second instance, leaves an old Deployment beside the new one.
    newest = max(found, key=lambda item: _numbers(_version(item)))
    version = _version(newest)
    ready = newest["status"].get("availableReplicas", newest["status"].get("numberAvailable", 0))
    if not ready:
        return failed(
            title,
            f"{version or 'unknown version'}, and no pod of it is available",
            means="what it is responsible for does not change: Secrets, databases, certificates or routes",
            do=f"kubectl -n {newest['metadata']['namespace']} get pods",
        )
    major, _, minor = least.partition(".")
    if version and not at_least(version, int(major), int(minor.partition(".")[0] or 0)):
        return failed(
            title,
            f"version {version}",
            means=f"the manifests are written for {least} and newer: an older one refuses or drops their fields",
            do=f"upgrade it, or set {setting} to {version}",
        )
    return passed(title, f"version {version or 'unknown'}")


def _version(item: Object) -> str:
    label = item["metadata"].get("labels", {}).get("app.kubernetes.io/version", "")
    image: str = item["spec"]["template"]["spec"]["containers"][0]["image"]
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    # Charts write v1.2.3 and 1.2.3-rc1; only numbers are compared.
    text = (label or tag).removeprefix("v").partition("-")[0]
    return text if text[:1].isdigit() and "." in text else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def secret_store(examined: Examination) -> Iterator[Line]:
    """Whether External Secrets can read the store."""
    settings = examined.settings
    secrets = settings.secrets
    if secrets.mode != "external-secrets":
        return
    spaces = sorted({item["metadata"]["namespace"] for item in examined.committed.of_kind("ExternalSecret")})
    for namespace in spaces if secrets.store_kind == "SecretStore" else [None]:
        path = collection("external-secrets.io/v1", secrets.store_kind, namespace)
        found = examined.cluster.get(f"{path}/{secrets.store}")
        yield _ready(
            f"{secrets.store_kind} {secrets.store}",
            found,
            means="no password reaches the cluster: every pod waits for its Secrets",
            missing=f"create it, or name another in secrets.store ({namespace or 'for the whole cluster'})",
        )


def issuer(examined: Examination) -> Iterator[Line]:
    """Whether cert-manager can sign."""
    ingress = examined.settings.ingress
    if not ingress.issuer:
        return
    namespace = examined.settings.namespace if ingress.issuer_kind == "Issuer" else None
    path = collection("cert-manager.io/v1", ingress.issuer_kind, namespace)
    yield _ready(
        f"{ingress.issuer_kind} {ingress.issuer}",
        examined.cluster.get(f"{path}/{ingress.issuer}"),
        means="there is no certificate: browsers warn, and MLflow's client refuses the server",
        missing="create it, or name another in ingress.cluster_issuer",
    )


def _ready(name: str, found: Object | None, *, means: str, missing: str) -> Line:
    if found is None:
        return failed(name, "does not exist", means=means, do=missing)
    state = condition(found)
    if state.get("status") != "True":
        why = state.get("message") or state.get("reason") or "has not been looked at by its operator"
        return failed(
            name, f"is not ready: {why}", means=means, do=f"kubectl describe {name.lower().replace(' ', '/')}"
        )
    return passed(name, "ready")


def database_cluster(examined: Examination) -> Iterator[Line]:
    """Whether CloudNativePG's Cluster works."""
    database = examined.settings.database
    if not examined.committed.of_kind("Database", "DatabaseRole") and database.host:
        return
    name = f"Cluster {database.cluster}"
    path = collection("postgresql.cnpg.io/v1", "Cluster", database.cluster_namespace)
    found = examined.cluster.get(f"{path}/{database.cluster}")
    means = "MLflow has no database: the migration waits, and every page fails"
    where = f"kubectl -n {database.cluster_namespace}"
    if found is None:
        remedy = "create it, or name another in database.cluster and database.cluster_namespace"
        yield failed(name, f"does not exist in {database.cluster_namespace}", means=means, do=remedy)
        return
    status = found.get("status", {})
    ready, wanted = status.get("readyInstances", 0), found.get("spec", {}).get("instances", 1)
    phase = status.get("phase") or "without a phase"
    if not ready:
        yield failed(name, f"{phase}, {ready} of {wanted} instances", means=means, do=f"{where} get pods")
    elif phase != HEALTHY or ready < wanted:
        less = "the next failure of an instance may end the service"
        yield warned(name, f"{phase}, {ready} of {wanted} instances", means=less, do=f"{where} get pods")
    else:
        yield passed(name, f"{phase}, {ready} of {wanted} instances")
