"""Settings of pods that are fine each and cannot work together, each with its remedy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.extra_environment import harmless, refusal
from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings
    from cdk8s_mlflow.settings.pods import MountSettings, NodeRequirementSettings, VolumeSettings

_HOSTNAME = "kubernetes.io/hostname"
_OWN_CONTAINERS = ("mlflow", "wait-for-schema")
_OWN_FOLDERS = ("/tmp", "/var/run/secrets", "/run/secrets")  # noqa: S108
_IMAGE_FOLDERS = ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/opt", "/proc", "/sbin", "/sys", "/usr")


def pod_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each setting of pods that cannot hold together with the others."""
    yield from _environment(settings)
    yield from _volumes(settings)
    yield from _containers(settings)
    yield from _placement(settings)
    yield from _rollout(settings)
    yield from _service(settings)
    yield from _assigned_user(settings)


def _environment(settings: EnvironmentSettings) -> Iterator[Conflict]:
    server = settings.server
    for name in server.value_from:
        if name not in harmless(settings.release):
            yield f"server.value_from.{name}", refusal(name, settings.release)
        elif name in server.extra_environment:
            yield f"server.value_from.{name}", "is in server.extra_environment too; remove one"


def _volumes(settings: EnvironmentSettings) -> Iterator[Conflict]:
    server = settings.server
    containers = [*server.init_containers, *server.sidecars]
    mounts = {
        "server.mounts": server.mounts,
        **{f"server.init_containers.{c.name}.mounts": c.mounts for c in server.init_containers},
        **{f"server.sidecars.{c.name}.mounts": c.mounts for c in server.sidecars},
    }
    names = [volume.name for volume in server.volumes]
    yield from _twice("server.volumes", names)
    for volume in server.volumes:
        yield from _volume(volume)
        if not any(mount.volume == volume.name for given in mounts.values() for mount in given):
            yield (
                "server.volumes",
                f"has {volume.name}, which nothing mounts; name it in server.mounts or in a container",
            )
    for key, given in mounts.items():
        yield from _mounts(key, given, names, ours=key == "server.mounts")
    # Init containers and others share one space of names in a pod.
    yield from _twice("server.sidecars", [container.name for container in containers])


def _volume(volume: VolumeSettings) -> Iterator[Conflict]:
    if volume.kind == "EmptyDir" and (volume.source or not volume.size):
        yield "server.volumes", f"has {volume.name}, an EmptyDir, which has a size and no source; correct it"
    elif volume.kind != "EmptyDir" and (volume.size or not volume.source):
        yield "server.volumes", f"has {volume.name}, a {volume.kind}, which has a source and no size; correct it"


def _mounts(key: str, mounts: Iterable[MountSettings], volumes: list[str], *, ours: bool) -> Iterator[Conflict]:
    given = list(mounts)
    yield from _twice(key, [mount.path for mount in given])
    for mount in given:
        if mount.volume not in volumes:
            yield key, f"names the volume {mount.volume}, which is not in server.volumes; add it there"
        # Only in the server's container; the root of another one is its own image's.
        if ours and _is_in(mount.path, _OWN_FOLDERS):
            yield key, f"has {mount.path}, where our own Secrets and scratch files are; choose another folder"
        elif ours and _is_in(mount.path, _IMAGE_FOLDERS):
            yield key, f"has {mount.path}, which would replace files of the image; choose another folder, such as /data"


def _is_in(path: str, folders: Iterable[str]) -> bool:
    # Also above: a mount at /var would hide /var/run/secrets.
    return any(path == folder or path.startswith(f"{folder}/") or folder.startswith(f"{path}/") for folder in folders)


def _containers(settings: EnvironmentSettings) -> Iterator[Conflict]:
    server = settings.server
    for key, containers in (("server.init_containers", server.init_containers), ("server.sidecars", server.sidecars)):
        for container in containers:
            if container.name in _OWN_CONTAINERS:
                yield key, f"has {container.name}, which is ours; name it otherwise"
            for name in sorted(set(container.environment) & set(container.value_from)):
                yield key, f"sets {name} of {container.name} twice, in environment and value_from; remove one"


def _placement(settings: EnvironmentSettings) -> Iterator[Conflict]:
    for requirement in settings.server.node_affinity:
        yield from _requirement(requirement)
        yield from _architecture(requirement)
    if settings.server.spread_over_nodes == "required" and _HOSTNAME in settings.server.node_selector:
        yield (
            "server.spread_over_nodes",
            "is required, but server.node_selector names one node, on which a new pod may not stand beside the old "
            "one; remove one",
        )
    yield from _twice("server.topology_spread", [spread.topology_key for spread in settings.server.topology_spread])


def _architecture(requirement: NodeRequirementSettings) -> Iterator[Conflict]:
    """What no node is labelled with, or no node that the image runs on."""
    known = {"kubernetes.io/arch": {"amd64", "arm64"}, "kubernetes.io/os": {"linux"}}.get(requirement.key)
    if known and requirement.operator == "In" and not known.intersection(requirement.values):
        yield (
            f"server.node_affinity.{requirement.key}",
            f"is {', '.join(requirement.values)}, on which the image does not run; write {' or '.join(sorted(known))}",
        )


def _requirement(requirement: NodeRequirementSettings) -> Iterator[Conflict]:
    key, values = f"server.node_affinity.{requirement.key}", requirement.values
    match requirement.operator:
        case "Exists" | "DoesNotExist" if values:
            yield key, f"has values, but {requirement.operator} takes none; remove them"
        case "In" | "NotIn" if not values:
            yield key, f"has no values, but {requirement.operator} needs one; add it"
        case "Gt" | "Lt" if len(values) != 1 or not values[0].isdecimal():
            yield key, f"must have one whole number with {requirement.operator}"


def _rollout(settings: EnvironmentSettings) -> Iterator[Conflict]:
    server = settings.server
    if server.strategy == "RollingUpdate" and server.max_surge == 0 and server.max_unavailable == 0:
        yield "server.max_surge", "is 0, and so is server.max_unavailable, so that nothing could be replaced; raise one"


def _service(settings: EnvironmentSettings) -> Iterator[Conflict]:
    service, network = settings.server.service, settings.network
    if service.type != "ClusterIP" and network.policies and not network.ingress_cidrs:
        yield (
            "network.ingress_cidrs",
            f"is required with server.service.type {service.type}: name the networks that requests come from, or the "
            "NetworkPolicy lets none through",
        )


def _assigned_user(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """A number in the file is there on purpose: another SCC than OpenShift's usual one may allow it."""
    server = settings.server
    if settings.ingress.controller == "openshift" and server.user_id and "user_id" not in server.model_fields_set:
        yield (
            "server.user_id",
            f"is {server.user_id} by default, but OpenShift assigns users, and its SCC restricted-v2 refuses pods with "
            "any other; set it to null, or to a number that an SCC of yours allows",
        )


def _twice(key: str, names: list[str]) -> Iterator[Conflict]:
    for name, count in sorted(Counter(names).items()):
        if count > 1:
            yield key, f"has {name} twice; remove one"
