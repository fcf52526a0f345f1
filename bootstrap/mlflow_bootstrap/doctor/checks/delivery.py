"""Whether what is committed has arrived: Flux or Argo CD, every object, and what operators say of theirs."""

from collections.abc import Iterator, Mapping
from typing import Any

from mlflow_bootstrap.doctor.cluster_reader import Object, condition, path_of
from mlflow_bootstrap.doctor.examination import Examination
from mlflow_bootstrap.doctor.line import Line, failed, passed, warned

_OLD = "what is committed is not what runs"


_KINDS = ("Kustomization", "Application", "GitRepository", "OCIRepository")


def delivery(examined: Examination) -> Iterator[Line]:
    """What Flux or Argo CD says; one of them delivers, and that one needs all of its objects."""
    tools = {
        tool: [(item, examined.cluster.get(path_of(item))) for item in items if item["kind"] in _KINDS]
        for tool, items in examined.committed.delivery.items()
    }
    used = {tool: items for tool, items in tools.items() if any(current is not None for _, current in items)}
    if not used:
        yield failed(
            "delivery",
            "the cluster has no Kustomization and no Application of this environment",
            means="no commit reaches the cluster",
            do=f"kubectl apply -f {_folder(examined, '…')} ({' or '.join(tools)})",
        )
    for tool, items in used.items():
        for item, current in items:
            yield _missing(item, _folder(examined, tool)) if current is None else _said(current)


def _folder(examined: Examination, tool: str) -> str:
    return f"{examined.settings.delivery.path}/{examined.name}/delivery/{tool}"


def _missing(item: Object, folder: str) -> Line:
    return failed(
        f"{item['kind']} {item['metadata']['name']}",
        "is committed, and missing in the cluster beside others that exist",
        means="its part of the commits does not reach the cluster",
        do=f"kubectl apply -f {folder}/",
    )


def _said(current: Object) -> Line:
    return _argocd(current) if current["kind"] == "Application" else _flux(current)


def _flux(current: Object) -> Line:
    metadata, status = current["metadata"], current.get("status", {})
    name = f"{current['kind']} {metadata['name']}"
    look = f"kubectl -n {metadata['namespace']} describe {current['kind'].lower()} {metadata['name']}"
    if current["spec"].get("suspend"):
        resume = f"flux -n {metadata['namespace']} resume {current['kind'].lower()} {metadata['name']}"
        return warned(name, "suspended", means="commits wait until someone resumes it", do=resume)
    revision = status.get("lastAppliedRevision") or status.get("artifact", {}).get("revision")
    state = condition(current)
    if state.get("status") == "Unknown" and condition(current, "Reconciling").get("status") == "True":
        return _at_work(name, status, seen=f"{state.get('message')}; applied is {revision or 'nothing yet'}", look=look)
    if state.get("status") != "True":
        return failed(name, state.get("message") or "has not been reconciled yet", means=_OLD, do=look)
    # The condition may still be that of the spec before.
    if status.get("observedGeneration", 0) < metadata.get("generation", 0):
        return warned(name, "was changed, and not reconciled since", means=_OLD, do=look)
    return passed(name, f"ready, {revision}")


def _at_work(name: str, status: Mapping[str, Any], *, seen: str, look: str) -> Line:
    """Of a look on its way, which Flux makes every ten minutes; Flux from 2.7 tells how the one before ended."""
    history: list[Mapping[str, str]] = status.get("history") or [{}]
    before = history[0].get("lastReconciledStatus", "ReconciliationSucceeded")
    if before != "ReconciliationSucceeded":
        return failed(name, f"{seen}; the try before gave {before}", means=_OLD, do=look)
    return warned(name, seen, means="a reconciliation is on its way", do="wait for its end, and look again")


def _argocd(current: Object) -> Line:
    metadata, status = current["metadata"], current.get("status", {})
    name = f"Application {metadata['name']}"
    sync = status.get("sync", {}).get("status") or "never compared"
    health = status.get("health", {}).get("status") or "without a health"
    operation = status.get("operationState", {})
    said = operation.get("message", "")
    look = f"argocd app get {metadata['namespace']}/{metadata['name']}"
    if (sync, health) == ("Synced", "Healthy"):
        return passed(name, f"synced and healthy, {status['sync'].get('revision', '')[:12]}")
    # Argo CD calls an application synced as soon as its objects are as committed, while pods still start.
    if health == "Progressing" and sync == "Synced":
        return warned(name, "synced, and not healthy yet", means="a rollout is under way", do=look)
    seen = "; ".join(filter(None, (sync, health, said)))
    if operation.get("phase") == "Running":
        return warned(name, seen, means="a sync is under way, or stuck", do=look)
    return failed(name, seen, means=_OLD, do=look)


_LOST = {
    "Middleware": "Traefik answers 404 for every path of a route whose Middleware is missing",
    "Ingress": "the public host answers 404",
    "HTTPRoute": "the public host answers 404",
    "Service": "the ingress controller answers 503",
    "NetworkPolicy": "pods may talk to more than they should",
    "ServiceMonitor": "Prometheus sees nothing",
}


def objects(examined: Examination) -> Iterator[Line]:
    """Whether each committed object exists."""
    every = examined.committed.objects
    missing = [item for item in every if examined.cluster.get(path_of(item)) is None]
    if not missing:
        yield passed("objects", f"all {len(every)} of the manifests exist")
        return
    kinds = dict.fromkeys(item["kind"] for item in missing)
    named = ", ".join(" ".join((item["kind"], item["metadata"]["name"])) for item in missing)
    yield failed(
        "objects",
        f"missing: {named}",
        means="; ".join(_LOST[kind] for kind in kinds if kind in _LOST) or _OLD,
        do="look at the lines of Flux or Argo CD; something has deleted them, or they were never applied",
    )


def external_secrets(examined: Examination) -> Iterator[Line]:
    """Whether External Secrets has written each Secret."""
    for item in examined.committed.of_kind("ExternalSecret"):
        metadata = item["metadata"]
        current = examined.cluster.get(path_of(item))
        if current is None:
            continue
        name, state = f"ExternalSecret {metadata['name']}", condition(current)
        if state.get("status") == "True":
            yield passed(name, state.get("message") or "synced")
            continue
        key = item["spec"]["data"][0]["remoteRef"]["key"]
        yield failed(
            name,
            state.get("message") or "has not been looked at by External Secrets",
            means="pods that mount the Secret do not start, or keep an old value",
            do=f"see that the store has {key} (`bootstrap verify secrets`), and that its reader may read it",
        )


def databases(examined: Examination) -> Iterator[Line]:
    """Whether CloudNativePG has created role and databases."""
    for item in examined.committed.of_kind("DatabaseRole", "Database"):
        metadata = item["metadata"]
        current = examined.cluster.get(path_of(item))
        if current is None:
            continue
        name, status = f"{item['kind']} {metadata['name']}", current.get("status", {})
        unissued = status.get("clientCertificate", {}).get("message")
        if unissued:
            yield failed(
                name,
                unissued,
                means="no certificate of the role is issued, so that pods wait for it, or its last one expires",
                do="issue it yourself, as with cert-manager, and name its Secret in database.client_certificate",
            )
        elif status.get("applied") is True:
            yield passed(name, f"{item['spec']['name']} is applied")
        else:
            yield failed(
                name,
                status.get("message") or "is not applied",
                means="the migration cannot connect, and waits",
                do=f"kubectl -n {metadata['namespace']} describe {item['kind'].lower()} {metadata['name']}",
            )
