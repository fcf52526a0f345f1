"""What pods have beyond what every installation needs: labels, placement, volumes, further containers."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from cdk8s_mlflow.settings.addresses import Cidr, Hostname, IpAddress
from cdk8s_mlflow.settings.section import (
    DnsLabel,
    DnsName,
    EnvironmentName,
    Quantity,
    Section,
    matching,
)

_NAME = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_PREFIX = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/"

LabelKey = Annotated[str, matching(rf"({_PREFIX})?{_NAME}", "team or example.com/cost-center")]
LabelValue = Annotated[str, matching(rf"({_NAME})?", "ml (at most 63 letters, digits, '-', '_' and '.')")]
KubernetesLabels = dict[LabelKey, LabelValue]
"""Labels that the API server accepts (Kubernetes documentation, "Labels and Selectors")."""

Annotations = dict[LabelKey, Annotated[str, StringConstraints(max_length=65536)]]

MountPath = Annotated[
    str, StringConstraints(max_length=255), matching(r"(/[A-Za-z0-9][A-Za-z0-9._-]*)+", "/data (an absolute path)")
]


class PodSettings(Section):
    """What every pod of ours has: server, jobs and tunnel."""

    labels: KubernetesLabels = {}
    """More labels of every pod, such as a cost center."""

    annotations: Annotations = {}
    """More annotations of every pod, such as those that keep a service mesh out of jobs."""

    host_aliases: dict[IpAddress, Annotated[tuple[Hostname, ...], Field(min_length=1)]] = {}
    """Host names that pods find at an IP address, whatever DNS says, such as Keycloak's where DNS leads elsewhere."""


class EnvironmentSourceSettings(Section):
    """A key of a Secret or a ConfigMap of the namespace."""

    kind: Literal["Secret", "ConfigMap"] = "Secret"
    """Kind of the object."""

    name: DnsName
    """Name of the object."""

    key: Annotated[str, matching(r"[A-Za-z0-9._-]{1,253}", "token")]
    """Key that holds the value."""


class VolumeSettings(Section):
    """A volume of the server's pods."""

    name: Annotated[str, matching(r"[a-z0-9]([-a-z0-9]{0,48}[a-z0-9])?", "data (at most 50)")]
    """Name by which mounts name it."""

    kind: Literal["ConfigMap", "Secret", "PersistentVolumeClaim", "EmptyDir"]
    """What it holds."""

    source: DnsName | None = None
    """Name of the ConfigMap, Secret or claim in the namespace; unset for EmptyDir."""

    size: Quantity | None = None
    """Room in an EmptyDir."""


class MountSettings(Section):
    """Where a container finds a volume."""

    volume: DnsLabel
    """Name of one of ``server.volumes``."""

    path: MountPath
    """Folder in the container."""

    sub_path: (
        Annotated[str, matching(r"(?!(.*/)?\.\.(/|$))[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*", "certificates")] | None
    ) = None
    """Folder or file in the volume; unset for all of it."""

    read_only: bool = True
    """Mount it so that it cannot be written to."""


class ContainerResourceSettings(Section):
    """What a further container asks for and may use at most."""

    cpu_request: Quantity = "20m"
    """CPU that the scheduler reserves."""

    cpu_limit: Quantity = "500m"
    """CPU at most."""

    memory_request: Quantity = "64Mi"
    """Memory that the scheduler reserves."""

    memory_limit: Quantity = "256Mi"
    """Memory at which the container is stopped."""

    disk_request: Quantity = "16Mi"
    """Room for logs and emptyDirs that the scheduler reserves."""

    disk_limit: Quantity = "256Mi"
    """Room for logs and emptyDirs at most."""


class ContainerSettings(Section):
    """A container beside the server's own, or one that runs before it; restricted as ours are."""

    name: DnsLabel
    """Name of the container."""

    image: Annotated[
        str,
        matching(
            r"[a-z0-9][a-z0-9./:_-]*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})", "registry/name:tag"
        ),
    ]
    """Image with a tag or a digest."""

    command: tuple[str, ...] = ()
    """Program and its first arguments; unset for the image's own."""

    arguments: tuple[str, ...] = ()
    """Arguments of the program."""

    environment: dict[EnvironmentName, str] = {}
    """Environment variables; never a secret."""

    value_from: dict[EnvironmentName, EnvironmentSourceSettings] = {}
    """Environment variables from a Secret or a ConfigMap."""

    mounts: tuple[MountSettings, ...] = ()
    """Volumes of ``server.volumes`` that it reads."""

    resources: ContainerResourceSettings = ContainerResourceSettings()
    """Resources of the container."""


class NodeRequirementSettings(Section):
    """What a label of a node must be."""

    key: LabelKey
    """Label of the node."""

    operator: Literal["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"] = "In"
    """How the label's value is compared."""

    values: tuple[str, ...] = ()
    """Values; none with Exists and DoesNotExist, one number with Gt and Lt."""


class TopologySpreadSettings(Section):
    """Pods spread evenly over the values of a label of nodes."""

    topology_key: LabelKey
    """Label of nodes, such as topology.kubernetes.io/zone."""

    max_skew: Annotated[int, Field(ge=1, le=50)] = 1
    """Most pods that one value may have more than another."""

    when_unsatisfiable: Literal["ScheduleAnyway", "DoNotSchedule"] = "ScheduleAnyway"
    """Whether a pod that cannot be placed so is placed elsewhere."""


class ServiceSettings(Section):
    """The Service of the server; one for only the metrics is added unless it is a ClusterIP."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the Service; NodePort and LoadBalancer serve http, so TLS must end in front of them."""

    annotations: Annotations = {}
    """Annotations of the Service, such as those of a cloud's load balancer."""

    source_ranges: tuple[Cidr, ...] = ()
    """Networks that a LoadBalancer accepts requests from; empty for all."""


Placement = Literal["preferred", "required", "off"]
EnvironmentSources = dict[EnvironmentName, EnvironmentSourceSettings]
