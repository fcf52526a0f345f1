"""The chart's pods as settings of ours: labels, volumes, further containers, placement, rollout."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cdk8s_mlflow.importing.outcome import Carried, LeftOut, Outcome, asked, text_of
from cdk8s_mlflow.importing.watched import plain

Values = Mapping[str, Any]

_KINDS = {
    "configMap": ("ConfigMap", "name"),
    "secret": ("Secret", "secretName"),
    "persistentVolumeClaim": ("PersistentVolumeClaim", "claimName"),
}


def _texts(key: str) -> Callable[[Any, str], Iterator[Outcome]]:
    return lambda value, release: iter([Carried(key, {str(k): text_of(v) for k, v in value.items()})])


def _volumes(value: Sequence[Values], release: str) -> Iterator[Outcome]:
    found = [_volume(item) for item in value]
    kept = [item for item in found if isinstance(item, dict)]
    yield from (item for item in found if isinstance(item, LeftOut))
    if kept:
        yield Carried("server.volumes", kept)


def _volume(item: Values) -> dict[str, Any] | LeftOut:
    # A volume has its name and one source; another form ends in ValueError, which the caller reports.
    (kind,) = set(item) - {"name"}
    details = plain(item[kind]) or {}
    if kind == "emptyDir" and details.get("sizeLimit"):
        return {"name": item["name"], "kind": "EmptyDir", "size": text_of(details["sizeLimit"])}
    # A mode is left to ours: files have to be readable by the pod's group.
    if kind not in _KINDS or set(details) - {_KINDS[kind][1], "defaultMode"}:
        return LeftOut(f"extraVolumes.{item['name']}", f"is a {kind} with options that are no settings")
    name, field = _KINDS[kind]
    return {"name": item["name"], "kind": name, "source": details[field]}


def _mounts(value: Sequence[Values], release: str) -> Iterator[Outcome]:
    yield Carried("server.mounts", [_mount(item) for item in value])


def _mount(item: Values) -> dict[str, Any]:
    given = {"volume": item["name"], "path": item["mountPath"], "sub_path": item.get("subPath")}
    # Ours are read-only unless asked, Kubernetes' are not.
    writable = {} if item.get("readOnly") else {"read_only": False}
    return {key: text for key, text in given.items() if text} | writable


def _containers(area: str, key: str) -> Callable[[Any, str], Iterator[Outcome]]:
    def rule(value: Sequence[Values], release: str) -> Iterator[Outcome]:
        known = {"name", "image", "command", "args", "env", "volumeMounts", "resources", "securityContext"}
        simple = [item for item in value if not set(item) - known - {"imagePullPolicy"} and _plain(item)]
        for item in value:
            name = f"{area}.{item.get('name')}"
            if item in simple:
                yield from unrestricted(f"{name}.securityContext", item.get("securityContext") or {})
            else:
                # Named whole, so that none of its keys is said once more.
                plain(item)
                yield LeftOut(name, f"has fields that are no settings; write it into {key}")
        if simple:
            yield Carried(key, [_container(item) for item in simple])

    return rule


_RESTRICTED: Values = {
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
    "seccompProfile": {"type": "RuntimeDefault"},
    "capabilities": {"drop": ["ALL"]},
}
"""What each container here has, as Pod Security's level `restricted` wants it, and its root read-only besides."""


def unrestricted(source: str, context: Values) -> Iterator[Outcome]:
    """A line for each field of a security context that asks for something else than pods here have."""
    for name, value in plain(context).items():
        if asked(value) and value != _RESTRICTED.get(name):
            yield LeftOut(f"{source}.{name}", "is no setting: pods here have what Pod Security's `restricted` wants")


def _plain(item: Values) -> bool:
    return all(set(variable) == {"name", "value"} for variable in item.get("env") or [])


def _container(item: Values) -> dict[str, Any]:
    resources = item.get("resources") or {}
    bounds = {
        f"{name}_{suffix}": text_of(quantity)
        for kind, suffix in (("requests", "request"), ("limits", "limit"))
        for name in ("cpu", "memory")
        if (quantity := (resources.get(kind) or {}).get(name)) is not None
    }
    given = {
        "name": item["name"],
        "image": item["image"],
        "command": [text_of(part) for part in item.get("command") or []],
        "arguments": [text_of(part) for part in item.get("args") or []],
        "environment": {variable["name"]: text_of(variable["value"]) for variable in item.get("env") or []},
        "mounts": [_mount(mount) for mount in item.get("volumeMounts") or []],
        "resources": bounds,
    }
    return {key: value for key, value in given.items() if value}


def _affinity(value: Values, release: str) -> Iterator[Outcome]:
    nodes = (value.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or {}
    terms = nodes.get("nodeSelectorTerms") or []
    # Several terms are alternatives, which a list of requirements cannot express.
    if len(terms) == 1 and set(terms[0]) == {"matchExpressions"}:
        yield Carried("server.node_affinity", [dict(item) for item in terms[0]["matchExpressions"]])
    elif asked(nodes):
        yield LeftOut(
            "affinity.nodeAffinity", "has alternatives; server.node_affinity has requirements that all must hold"
        )
    for name in ("podAffinity", "podAntiAffinity"):
        if asked(value.get(name)):
            yield LeftOut(
                f"affinity.{name}", "is server.spread_over_nodes here: the server's pods rather not on one node"
            )
    if asked((value.get("nodeAffinity") or {}).get("preferredDuringSchedulingIgnoredDuringExecution")):
        yield LeftOut("affinity.nodeAffinity", "has preferences; server.node_affinity has requirements")


def _strategy(value: Values, release: str) -> Iterator[Outcome]:
    if value.get("type") == "Recreate":
        yield Carried("server.strategy", "Recreate")
    for name, key in (("maxSurge", "server.max_surge"), ("maxUnavailable", "server.max_unavailable")):
        number = (value.get("rollingUpdate") or {}).get(name)
        # A percentage depends on the number of replicas, which an autoscaler changes.
        if isinstance(number, int):
            yield Carried(key, number)
        elif number is not None:
            yield LeftOut(f"strategy.rollingUpdate.{name}", f"is {number}; {key} is a number of pods")


def _history(value: Any, release: str) -> Iterator[Outcome]:
    yield Carried("server.revision_history", int(value))


POD_AREAS: Mapping[str, Callable[[Any, str], Iterator[Outcome]]] = {
    "podAnnotations": _texts("pods.annotations"),
    "extraPodLabels": _texts("pods.labels"),
    "extraVolumes": _volumes,
    "extraVolumeMounts": _mounts,
    "initContainers": _containers("initContainers", "server.init_containers"),
    "extraContainers": _containers("extraContainers", "server.sidecars"),
    "affinity": _affinity,
    "strategy": _strategy,
    "revisionHistoryLimit": _history,
}
"""Areas of the values file that are about pods."""
