"""What a login needs to read for doctor, as Kubernetes' own roles."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.doctor.cluster_reader import Object, plural
from mlflow_bootstrap.doctor.committed import Committed


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """Verbs on a resource of an API group, in one namespace or, if that is empty, in all."""

    namespace: str
    group: str
    resource: str
    verbs: tuple[str, ...] = ("get",)


def rights(settings: Settings, committed: Committed) -> list[Right]:
    """Everything that the checks read, before and after the first apply."""
    return sorted({*_of_cluster(settings), *_of_namespace(settings), *_of_objects(committed)})


def _of_cluster(settings: Settings) -> Iterator[Right]:
    # In all namespaces, since operators stand in whichever their installer chose.
    yield Right("", "apps", "deployments", ("list",))
    yield Right("", "apps", "daemonsets", ("list",))
    ingress = settings.ingress
    if ingress.gateway is not None:
        for parent in ingress.gateway.parents:
            yield Right(parent.namespace or settings.namespace, "gateway.networking.k8s.io", "gateways")
    elif ingress.enabled:
        yield Right("", "networking.k8s.io", "ingressclasses")
    if ingress.custom_middlewares:
        yield Right("", "traefik.io", "middlewares", ("list",))
    if settings.secrets.mode == "external-secrets":
        shared = settings.secrets.store_kind == "ClusterSecretStore"
        for namespace in [""] if shared else [settings.namespace, settings.database.cluster_namespace]:
            yield Right(namespace, "external-secrets.io", plural(settings.secrets.store_kind))
    if ingress.issuer:
        where = settings.namespace if ingress.issuer_kind == "Issuer" else ""
        yield Right(where, "cert-manager.io", plural(ingress.issuer_kind))
    yield Right(settings.database.cluster_namespace, "postgresql.cnpg.io", "clusters")


def _of_namespace(settings: Settings) -> Iterator[Right]:
    yield Right(settings.namespace, "", "resourcequotas", ("list",))
    yield Right(settings.namespace, "", "limitranges", ("list",))
    yield Right(settings.namespace, "", "pods", ("list",))
    # Its web socket is opened by a GET; newer API servers also ask for `create`.
    yield Right(settings.namespace, "", "pods/exec", ("create", "get"))
    if settings.secrets.mode == "kubernetes":
        yield Right(settings.namespace, "", "secrets")
        yield Right(settings.database.cluster_namespace, "", "secrets")


def _of_objects(committed: Committed) -> Iterator[Right]:
    delivered = (item for items in committed.delivery.values() for item in items)
    for item in (*committed.objects, *delivered):
        group = item["apiVersion"].rpartition("/")[0]
        yield Right(item["metadata"].get("namespace", ""), group, plural(item["kind"]))


def role_name(settings: Settings) -> str:
    """Name of the roles of one installation; a colon separates, since neither part may contain one."""
    return f"mlflow-doctor:{settings.namespace}:{settings.instance}"


def roles(name: str, wanted: Iterable[Right]) -> str:
    """A ClusterRole, and a Role in each namespace, as a List that ``kubectl apply -f -`` takes."""
    by_namespace: dict[str, list[Object]] = {}
    for right in wanted:
        rule = {"apiGroups": [right.group], "resources": [right.resource], "verbs": list(right.verbs)}
        by_namespace.setdefault(right.namespace, []).append(rule)
    items = [_role(name, namespace, rules) for namespace, rules in by_namespace.items()]
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=2)


def _role(name: str, namespace: str, rules: list[Object]) -> Object:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    kind = "Role" if namespace else "ClusterRole"
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": metadata, "rules": rules}
