"""Quotas and LimitRanges of the namespace against what the manifests ask for."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from mlflow_bootstrap.doctor.cluster_reader import Object, collection
from mlflow_bootstrap.doctor.committed import pod_template
from mlflow_bootstrap.doctor.examination import Examination
from mlflow_bootstrap.doctor.line import Line, failed, passed

Amounts = dict[str, Decimal]
_MEANS = "pods are refused: the migration or the server never starts"


def quotas(examined: Examination) -> Iterator[Line]:
    """Whether each ResourceQuota has room for the server, a pod that replaces one, and the migration."""
    namespace = examined.settings.namespace
    for quota in examined.cluster.items(collection("v1", "ResourceQuota", namespace)):
        workloads = [item for item in examined.committed.workloads if _is_counted(pod_template(item)["spec"], quota)]
        wanted = _wanted(workloads)
        status = quota.get("status", {})
        # The status is empty until the quota's controller has counted for the first time.
        hard = status.get("hard") or quota["spec"].get("hard", {})
        used = {name: parse_quantity(value) for name, value in status.get("used", {}).items()}
        short = [
            f"{name}: asks for {wanted[key]:f}, {parse_quantity(limit) - used.get(name, Decimal(0)):f} left"
            for name, limit in hard.items()
            if (key := _key(name)) in wanted and wanted[key] > parse_quantity(limit) - used.get(name, Decimal(0))
        ]
        title = f"ResourceQuota {quota['metadata']['name']}"
        if short:
            yield failed(title, "; ".join(short), means=_MEANS, do="raise the quota, or lower server.resources")
        else:
            yield passed(title, "enough is left")


def _is_counted(spec: Mapping[str, Any], quota: Object) -> bool:
    """Whether a pod is within every scope of a quota (Kubernetes documentation, Resource Quotas, Quota scopes)."""
    selector = quota["spec"].get("scopeSelector") or {}
    named = [{"scopeName": name, "operator": "Exists"} for name in quota["spec"].get("scopes") or ()]
    return all(_is_within(spec, scope) for scope in (*named, *(selector.get("matchExpressions") or ())))


def _is_within(spec: Mapping[str, Any], scope: Mapping[str, Any]) -> bool:
    is_bounded, asks = "activeDeadlineSeconds" in spec, bool(_of_pod(spec))
    plain = {
        "Terminating": is_bounded,
        "NotTerminating": not is_bounded,
        "BestEffort": not asks,
        "NotBestEffort": asks,
    }
    if scope["scopeName"] != "PriorityClass":
        # No pod of ours is in another scope, such as that of affinity across namespaces.
        return plain.get(scope["scopeName"], False)
    own, listed = spec.get("priorityClassName"), scope.get("values") or ()
    match scope["operator"]:
        case "In":
            return own in listed
        case "NotIn":
            return own not in listed
        case "Exists":
            return own is not None
    return own is None


def _key(name: str) -> str:
    """``cpu`` of a quota means ``requests.cpu`` (Kubernetes documentation, Resource Quotas)."""
    return f"requests.{name}" if name in ("cpu", "memory", "ephemeral-storage") else name


def _wanted(workloads: Iterable[Object]) -> Amounts:
    total: Amounts = {}
    for item in workloads:
        spec = pod_template(item)["spec"]
        # A Deployment of ours starts one pod more while it replaces others.
        pods = item["spec"].get("replicas", 1) + (1 if item["kind"] == "Deployment" else 0)
        total["pods"] = total.get("pods", Decimal(0)) + pods
        for name, amount in _of_pod(spec).items():
            total[name] = total.get(name, Decimal(0)) + pods * amount
    return total


def _of_pod(spec: Mapping[str, Any]) -> Amounts:
    """What a pod counts for: its containers together, or an init container that asks for more."""
    amounts: Amounts = {}
    for container in spec["containers"]:
        for name, value in _resources(container).items():
            amounts[name] = amounts.get(name, Decimal(0)) + value
    for container in spec.get("initContainers", ()):
        for name, value in _resources(container).items():
            # They run before the others, one after another, so only the largest counts (Kubernetes, "Init Containers").
            amounts[name] = max(amounts.get(name, Decimal(0)), value)
    return amounts


def _resources(container: Mapping[str, Any]) -> Amounts:
    return {
        f"{kind}.{name}": parse_quantity(value)
        for kind, values in container.get("resources", {}).items()
        for name, value in values.items()
    }


def limit_ranges(examined: Examination) -> Iterator[Line]:
    """Whether each container stays within the namespace's LimitRanges."""
    containers = [
        (item["kind"], container)
        for item in examined.committed.of_kind("Deployment", "Job")
        for container in (
            *pod_template(item)["spec"]["containers"],
            *pod_template(item)["spec"].get("initContainers", ()),
        )
    ]
    for limits in examined.cluster.items(collection("v1", "LimitRange", examined.settings.namespace)):
        wrong = [
            f"{kind} {container['name']}: {problem}"
            for limit in limits["spec"]["limits"]
            if limit["type"] == "Container"
            for kind, container in containers
            for problem in _beyond(limit, _resources(container))
        ]
        title = f"LimitRange {limits['metadata']['name']}"
        if wrong:
            yield failed(title, "; ".join(wrong), means=_MEANS, do="widen it, or change server.resources")
        else:
            yield passed(title, "every container is within it")


def _beyond(limit: Mapping[str, Any], asked: Amounts) -> Iterator[str]:
    for name, value in limit.get("max", {}).items():
        if asked.get(f"limits.{name}", Decimal(0)) > parse_quantity(value):
            yield f"limit of {name} is above {value}"
    for name, value in limit.get("min", {}).items():
        if asked.get(f"requests.{name}", Decimal(0)) < parse_quantity(value):
            yield f"request of {name} is below {value}"
    for name, value in limit.get("maxLimitRequestRatio", {}).items():
        request, most = asked.get(f"requests.{name}"), asked.get(f"limits.{name}")
        if request and most and most / request > parse_quantity(value):
            yield f"limit of {name} is more than {value} times its request"
