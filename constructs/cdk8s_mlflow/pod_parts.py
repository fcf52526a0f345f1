"""Volumes, containers, variables and placement that settings add to the server's pods."""

from collections.abc import Mapping, Sequence

from cdk8s_plus_27 import k8s

from cdk8s_mlflow.metadata import selector
from cdk8s_mlflow.pods import container_security, resources
from cdk8s_mlflow.settings.pods import (
    ContainerSettings,
    EnvironmentSourceSettings,
    MountSettings,
    VolumeSettings,
)
from cdk8s_mlflow.settings.server import ServerSettings

EXTRA_VOLUME = "extra-"
"""Prefix of the names of volumes from settings, so that none is called as one of ours."""


def volumes(settings: Sequence[VolumeSettings]) -> list[k8s.Volume]:
    """The volumes of a pod that ``settings`` add."""
    return [_volume(volume) for volume in settings]


def _volume(volume: VolumeSettings) -> k8s.Volume:
    name, source = f"{EXTRA_VOLUME}{volume.name}", volume.source
    match volume.kind:
        case "Secret":
            # 0440: the pod's group reads, since the files belong to root.
            return k8s.Volume(name=name, secret=k8s.SecretVolumeSource(secret_name=source, default_mode=0o440))
        case "ConfigMap":
            return k8s.Volume(name=name, config_map=k8s.ConfigMapVolumeSource(name=source))
        case "PersistentVolumeClaim":
            claim = k8s.PersistentVolumeClaimVolumeSource(claim_name=source or "")
            return k8s.Volume(name=name, persistent_volume_claim=claim)
        case "EmptyDir":
            # The settings demand a size for this kind; without one an emptyDir may fill the node's disk.
            limit = k8s.Quantity.from_string(volume.size or "0")
            return k8s.Volume(name=name, empty_dir=k8s.EmptyDirVolumeSource(size_limit=limit))


def mounts(settings: Sequence[MountSettings]) -> list[k8s.VolumeMount]:
    """The mounts of a container that ``settings`` add."""
    return [
        k8s.VolumeMount(
            name=f"{EXTRA_VOLUME}{mount.volume}",
            mount_path=mount.path,
            sub_path=mount.sub_path,
            read_only=mount.read_only,
        )
        for mount in settings
    ]


def variables_from(sources: Mapping[str, EnvironmentSourceSettings]) -> list[k8s.EnvVar]:
    """Environment variables whose values are in Secrets and ConfigMaps, in the order of their names."""
    # Sorted, so that the order in a settings file does not roll the pods.
    return [k8s.EnvVar(name=name, value_from=_source(sources[name])) for name in sorted(sources)]


def _source(source: EnvironmentSourceSettings) -> k8s.EnvVarSource:
    if source.kind == "Secret":
        return k8s.EnvVarSource(secret_key_ref=k8s.SecretKeySelector(name=source.name, key=source.key))
    return k8s.EnvVarSource(config_map_key_ref=k8s.ConfigMapKeySelector(name=source.name, key=source.key))


def container(settings: ContainerSettings) -> k8s.Container:
    """A further container, restricted as ours are."""
    own = settings.resources
    plain = [k8s.EnvVar(name=name, value=settings.environment[name]) for name in sorted(settings.environment)]
    return k8s.Container(
        name=settings.name,
        image=settings.image,
        command=[*settings.command] or None,
        args=[*settings.arguments] or None,
        env=[*plain, *variables_from(settings.value_from)] or None,
        security_context=container_security(),
        volume_mounts=mounts(settings.mounts) or None,
        resources=resources(
            cpu=(own.cpu_request, own.cpu_limit),
            memory=(own.memory_request, own.memory_limit),
            disk=(own.disk_request, own.disk_limit),
        ),
    )


def affinity(server: ServerSettings, name: str) -> k8s.Affinity | None:
    """Which nodes the server's pods may run on, and whether two may share one."""
    if server.spread_over_nodes == "off" and not server.node_affinity:
        return None
    return k8s.Affinity(node_affinity=_nodes(server), pod_anti_affinity=_apart(server, name))


def _nodes(server: ServerSettings) -> k8s.NodeAffinity | None:
    if not server.node_affinity:
        return None
    expressions = [
        k8s.NodeSelectorRequirement(key=item.key, operator=item.operator, values=[*item.values] or None)
        for item in server.node_affinity
    ]
    # Terms are alternatives, expressions of one term all have to hold, which is what a list of conditions says.
    terms = [k8s.NodeSelectorTerm(match_expressions=expressions)]
    return k8s.NodeAffinity(
        required_during_scheduling_ignored_during_execution=k8s.NodeSelector(node_selector_terms=terms)
    )


def _apart(server: ServerSettings, name: str) -> k8s.PodAntiAffinity | None:
    term = k8s.PodAffinityTerm(
        topology_key="kubernetes.io/hostname",
        label_selector=k8s.LabelSelector(match_labels=selector("tracking-server", name)),
    )
    match server.spread_over_nodes:
        case "required":
            return k8s.PodAntiAffinity(required_during_scheduling_ignored_during_execution=[term])
        case "preferred":
            # The largest weight: the only preference that competes is the scheduler's own.
            preferred = k8s.WeightedPodAffinityTerm(weight=100, pod_affinity_term=term)
            return k8s.PodAntiAffinity(preferred_during_scheduling_ignored_during_execution=[preferred])
        case "off":
            return None


def topology_spread(server: ServerSettings, name: str) -> list[k8s.TopologySpreadConstraint] | None:
    """How the server's pods are spread over groups of nodes."""
    return [
        k8s.TopologySpreadConstraint(
            max_skew=spread.max_skew,
            topology_key=spread.topology_key,
            when_unsatisfiable=spread.when_unsatisfiable,
            label_selector=k8s.LabelSelector(match_labels=selector("tracking-server", name)),
        )
        for spread in server.topology_spread
    ] or None
