"""How the tracking server runs."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from cdk8s_mlflow.settings.addresses import AllowedHost, Origin, TrustedNetwork
from cdk8s_mlflow.settings.autoscaling import AutoscalingSettings
from cdk8s_mlflow.settings.pods import (
    Annotations,
    ContainerSettings,
    EnvironmentSources,
    KubernetesLabels,
    LabelKey,
    LabelValue,
    MountSettings,
    NodeRequirementSettings,
    Placement,
    ServiceSettings,
    TopologySpreadSettings,
    VolumeSettings,
)
from cdk8s_mlflow.settings.section import (
    Conflict,
    CronSchedule,
    DnsName,
    EnvironmentName,
    Quantity,
    Section,
    Text,
)


class ResourceSettings(Section):
    """What a container asks the scheduler for and may use at most."""

    cpu_request: Quantity = "250m"
    """CPU that the scheduler reserves, in cores or millicores."""

    memory_request: Quantity = "768Mi"
    """Memory that the scheduler reserves."""

    cpu_limit: Quantity = "2"
    """CPU that the container may use at most."""

    memory_limit: Quantity = "2Gi"
    """Memory at which the container is stopped."""


class TolerationSettings(Section):
    """A node taint that the pods bear."""

    key: LabelKey
    """Key of the taint."""

    operator: Literal["Equal", "Exists"] = "Equal"
    """Whether the taint's value must be equal or only be there."""

    value: LabelValue = ""
    """Value of the taint; empty with Exists."""

    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """Effect of the taint; empty bears all."""


class CaBundleSettings(Section):
    """A ConfigMap or Secret of the namespace that holds the certificates of a private authority."""

    kind: Literal["ConfigMap", "Secret"] = "ConfigMap"
    """Kind of the object."""

    name: DnsName
    """Name of the object."""

    key: Text = "ca.crt"
    """Key that holds the PEM certificates."""


class ServerSettings(Section):
    """The MLflow tracking server: how many, how large, and what it may be asked."""

    replicas: Annotated[int, Field(ge=1, le=50)] = 1
    """Pods of the tracking server; more than one needs a shared session store."""

    autoscaling: AutoscalingSettings | None = None
    """Scale by load instead of a fixed number of ``replicas``; unset for none."""

    workers: Annotated[int, Field(ge=1, le=16)] = 1
    """Worker processes in a pod; one is the best use of memory, add replicas for throughput."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Least severe message that is logged."""

    log_format: Literal["text", "json"] = "text"
    """Form of the server's log; json has an object a line, with user, rule and duration of each request, and audits."""

    resources: ResourceSettings = ResourceSettings()
    """Resources of the server's container."""

    tmp_size: Quantity = "4Gi"
    """Room in /tmp: an upload in flight takes twice its size, a download its size; without room clients wait."""

    drain_seconds: Annotated[int, Field(ge=0, le=300)] = 10
    """Seconds that a pod that is stopped still takes requests, until every proxy has learnt to send none."""

    termination_grace_seconds: Annotated[int, Field(ge=10, le=3600)] = 60
    """Seconds from the order to stop a pod to its end: ``drain_seconds`` of them, then requests in flight finish."""

    allowed_hosts: tuple[AllowedHost, ...] = ()
    """Host headers answered beside the public host and the Service's names; never a bare *."""

    cors_origins: tuple[Origin, ...] = ()
    """Origins of other web pages that may call the API, such as https://notebooks.example.com; never a bare *."""

    trusted_proxies: tuple[TrustedNetwork, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8")
    """Addresses whose X-Forwarded-* headers are believed: where the ingress controller's pods run."""

    minimum_transfer_rate: Annotated[int, Field(ge=0, le=1_000_000)] = 1024
    """Bytes a second that a body or an answer must move over 30 seconds, or its connection is cut; 0 for no limit."""

    maximum_body_mebibytes: Annotated[int, Field(ge=1, le=1024)] = 32
    """Size of an API request's body at most, artifacts excepted; as Python objects it takes up to 30 times as much."""

    access_key_cache: bool = True
    """Remember verified access keys for a while, where the release hashes at each request; see docs/image.md."""

    bearer_access_keys: bool = True
    """Let MLFLOW_TRACKING_TOKEN carry an access key, on releases whose keys name their own row."""

    read_only: bool = False
    """Answer reads and refuse writes with 503 while you work on database or bucket; gc and pruning pause, too."""

    job_execution: bool = False
    """Run MLflow's background jobs (evaluation and scoring), if the release has them; costs about 1.5 GB."""

    ai_gateway: bool = False
    """Serve MLflow's AI gateway, which calls model providers with stored keys, if the release has one."""

    extra_environment: dict[EnvironmentName, str] = {}
    """More environment variables of the server: those known to be harmless (listed below); never a secret."""

    ca_bundle: CaBundleSettings | None = None
    """Certificates of a private authority that signed Keycloak, S3 or Redis; joined with the public roots."""

    priority_class: DnsName | None = None
    """PriorityClass of the pods."""

    node_selector: KubernetesLabels = {}
    """Labels that a node must have."""

    tolerations: tuple[TolerationSettings, ...] = ()
    """Node taints that the pods bear."""

    annotations: Annotations = {}
    """Annotations of the Deployment. None is needed for rotated secrets, which the server notices itself."""

    service_account: DnsName | None = None
    """Existing ServiceAccount of the namespace that the pods run as; unset, one named mlflow is written."""

    service_account_annotations: Annotations = {}
    """Annotations of the ServiceAccount, such as a cloud identity."""

    pod_labels: KubernetesLabels = {}
    """More labels of the server's pods; ``pods.labels`` are on every pod."""

    pod_annotations: Annotations = {}
    """More annotations of the server's pods; ``pods.annotations`` are on every pod."""

    node_affinity: tuple[NodeRequirementSettings, ...] = ()
    """What a node must have for the server's pods, beyond ``node_selector``; all must hold."""

    spread_over_nodes: Placement = "preferred"
    """Whether two pods of the server may share a node: rather not, never, or as it comes."""

    topology_spread: tuple[TopologySpreadSettings, ...] = (
        TopologySpreadSettings(topology_key="topology.kubernetes.io/zone"),
    )
    """How the server's pods are spread over zones or other groups of nodes."""

    value_from: EnvironmentSources = {}
    """Environment variables of the server from a Secret or a ConfigMap; only those known to be harmless."""

    volumes: tuple[VolumeSettings, ...] = ()
    """More volumes of the server's pods."""

    mounts: tuple[MountSettings, ...] = ()
    """Where the server finds ``volumes``."""

    init_containers: tuple[ContainerSettings, ...] = ()
    """Containers that end before the server starts, after the wait for the schema."""

    sidecars: tuple[ContainerSettings, ...] = ()
    """Containers that run beside the server."""

    service: ServiceSettings = ServiceSettings()
    """The Service in front of the server's pods."""

    revision_history: Annotated[int, Field(ge=0, le=100)] = 3
    """Old ReplicaSets that are kept, to which `kubectl rollout undo` can return."""

    strategy: Literal["RollingUpdate", "Recreate"] = "RollingUpdate"
    """Whether new pods start before old ones stop; Recreate is an outage at each change."""

    max_surge: Annotated[int, Field(ge=0, le=50)] = 1
    """New pods at once beyond ``replicas``; the connection budget counts them."""

    max_unavailable: Annotated[int, Field(ge=0, le=49)] = 0
    """Old pods that may stop before new ones are ready."""

    user_id: Annotated[int, Field(ge=10000, le=2_000_000_000)] | None = 10001
    """Numeric user and group of every container of ours; null if the cluster assigns one, as OpenShift does."""

    @property
    def surge(self) -> int:
        """Pods beyond ``most_replicas`` while a change is rolled out."""
        return self.max_surge if self.strategy == "RollingUpdate" else 0

    @property
    def most_replicas(self) -> int:
        """Pods of the tracking server at most, one of surge excepted."""
        return self.autoscaling.max_replicas if self.autoscaling else self.replicas


class MaintenanceSettings(Section):
    """Periodic cleaning."""

    garbage_collection: bool = True
    """Delete for good what users deleted longer ago than ``retention_days``."""

    retention_days: Annotated[int, Field(ge=0, le=3650)] = 30
    """Days that deleted runs, experiments and models can be restored; only with ``garbage_collection``."""

    garbage_collection_schedule: CronSchedule = "17 3 * * *"
    """When to delete, as a cron schedule in UTC; only with ``garbage_collection``."""

    end_access: bool = True
    """End keys and sessions of users who have left; needs ``authentication.directory_client``."""

    end_access_schedule: CronSchedule = "11,41 * * * *"
    """When to look for users who have left, at least hourly, as a cron schedule in UTC; only with ``end_access``."""

    session_pruning_schedule: CronSchedule = "41 * * * *"
    """When to delete expired sessions, on releases that keep them in the database, as a cron schedule in UTC."""


END_SECONDS = 2
"""Seconds that the process needs to end, once its requests have."""

_LEAST_FINISHING = 3


def stopping_conflicts(server: ServerSettings) -> Iterator[Conflict]:
    """Dotted key and message if a pod that is stopped has no time left for requests in flight."""
    least = server.drain_seconds + END_SECONDS + _LEAST_FINISHING
    if server.termination_grace_seconds < least:
        yield (
            "server.termination_grace_seconds",
            f"is {server.termination_grace_seconds}, of which server.drain_seconds {server.drain_seconds} leave "
            f"requests in flight no time; raise it to {least} or more, or lower server.drain_seconds",
        )


def autoscaling_conflicts(server: ServerSettings) -> Iterator[Conflict]:
    """Dotted key and message for each autoscaling setting that cannot hold together with the others."""
    scaling = server.autoscaling
    if scaling is None:
        return
    if "replicas" in server.model_fields_set:
        yield "server.replicas", "has no effect beside server.autoscaling, which decides how many pods run; remove it"
    if scaling.max_replicas <= scaling.min_replicas:
        yield (
            "server.autoscaling.max_replicas",
            f"is {scaling.max_replicas}, but server.autoscaling.min_replicas is {scaling.min_replicas}; raise it, or "
            "set server.replicas instead of server.autoscaling",
        )
    if scaling.scale_down_window_seconds < server.termination_grace_seconds:
        yield (
            "server.autoscaling.scale_down_window_seconds",
            f"is {scaling.scale_down_window_seconds}, shorter than server.termination_grace_seconds "
            f"{server.termination_grace_seconds}, so that pods would be stopped while others still finish; raise it",
        )
    if not re.search(r"[1-9]", server.resources.cpu_request):
        yield (
            "server.resources.cpu_request",
            "is 0, but server.autoscaling measures CPU against it; set what a pod needs",
        )
    yield from _repeated_metrics(scaling)


def _repeated_metrics(scaling: AutoscalingSettings) -> Iterator[Conflict]:
    for metric in scaling.pod_metrics:
        if not re.search(r"[1-9]", metric.average_value):
            yield "server.autoscaling.pod_metrics", f"aims {metric.name} at 0, which no pod can share; raise it"
    names = [metric.name for metric in scaling.pod_metrics]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield "server.autoscaling.pod_metrics", f"names {name} twice; remove one"
