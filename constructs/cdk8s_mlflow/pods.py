"""Pods that the Pod Security Standard "restricted" admits: numeric user, read-only root, only mounted folders."""

from collections.abc import Mapping, Sequence
from typing import TypedDict, Unpack

from cdk8s_plus_27 import k8s

from cdk8s_mlflow.contract import SECRETS_ROOT, secret_templates
from cdk8s_mlflow.metadata import Component, pod_labels
from cdk8s_mlflow.settings import Settings

TEMPORARY = "/tmp"  # noqa: S108  (an emptyDir is mounted there)

_IDENTITY_LABEL = {"azure.workload.identity/use": "true"}
"""Label of a pod to which AKS gives the token of its workload identity (Microsoft, "Workload Identity overview")."""

_OF_ARTIFACTS: tuple[Component, ...] = ("tracking-server", "maintenance")
"""Components that read and write artifacts."""


def container_security(*, read_only: bool = True) -> k8s.SecurityContext:
    """No privileges, no capabilities, and, if ``read_only``, no writing to the image's files."""
    return k8s.SecurityContext(
        allow_privilege_escalation=False,
        privileged=False,
        read_only_root_filesystem=read_only,
        run_as_non_root=True,
        capabilities=k8s.Capabilities(drop=["ALL"]),
        seccomp_profile=k8s.SeccompProfile(type="RuntimeDefault"),
    )


def pod_security(user: int | None) -> k8s.PodSecurityContext:
    """Every container runs as ``user``, whose group owns the volumes; None if the cluster assigns both."""
    return k8s.PodSecurityContext(
        run_as_non_root=True,
        run_as_user=user,
        run_as_group=user,
        fs_group=user,
        # OnRootMismatch: a volume of many files is not walked through at
        # every start. Not without a user: OpenShift assigns the group.
        fs_group_change_policy="OnRootMismatch" if user is not None else None,
        seccomp_profile=k8s.SeccompProfile(type="RuntimeDefault"),
    )


def environment_variables(values: Mapping[str, str]) -> list[k8s.EnvVar]:
    """Plain environment variables in the order of their names."""
    # Sorted, so that code may be moved without a new pod template.
    return [k8s.EnvVar(name=name, value=values[name]) for name in sorted(values)]


def resources(*, cpu: tuple[str, str], memory: tuple[str, str], disk: tuple[str, str]) -> k8s.ResourceRequirements:
    """Requests and limits; ``disk`` is room in emptyDirs and logs."""
    names = ("cpu", "memory", "ephemeral-storage")
    pairs = dict(zip(names, (cpu, memory, disk), strict=True))
    quantity = k8s.Quantity.from_string
    return k8s.ResourceRequirements(
        requests={name: quantity(pair[0]) for name, pair in pairs.items()},
        limits={name: quantity(pair[1]) for name, pair in pairs.items()},
    )


class Mounts:
    """The folders of a pod: the Secrets of the contract below one root, and a writable /tmp."""

    def __init__(
        self,
        settings: Settings,
        *,
        folders: Sequence[str],
        temporary_size: str,
        more: Sequence[k8s.Volume] = (),
    ) -> None:
        # A Secret without a mount is read by others, as the role's is by CloudNativePG.
        names = {template.mount: template.name for template in secret_templates(settings) if template.mount}
        # A folder may have no Secret in this environment: s3 has none if the pods' identity opens the bucket.
        self._secrets = {folder: names[folder] for folder in folders if folder in names}
        # The database's authority is in the database's own Secret.
        self._bundle = settings.server.ca_bundle if set(folders) - {"db"} else None
        self._certificate = settings.database.client_certificate
        self._temporary_size = temporary_size
        self._more = more

    @property
    def volumes(self) -> list[k8s.Volume]:
        """Volumes of the pod."""
        secrets = [self._secret_volume(folder, name) for folder, name in self._secrets.items()]
        bundle = [_bundle_volume(self._bundle.kind, self._bundle.name, self._bundle.key)] if self._bundle else []
        return [*secrets, *bundle, temporary_volume(self._temporary_size), *self._more]

    def _secret_volume(self, folder: str, name: str) -> k8s.Volume:
        if folder == "db" and self._certificate:
            return _database_volume(f"secret-{folder}", name, certificate=self._certificate)
        return _secret_volume(f"secret-{folder}", name)

    @property
    def container_mounts(self) -> list[k8s.VolumeMount]:
        """Mounts of a container that reads all folders."""
        return self.only(*self._secrets, *(["ca"] if self._bundle else []))

    def only(self, *folders: str) -> list[k8s.VolumeMount]:
        """Mounts of a container that reads these folders only."""
        secrets = [
            k8s.VolumeMount(name=f"secret-{folder}", mount_path=f"{SECRETS_ROOT}/{folder}", read_only=True)
            for folder in folders
        ]
        return [*secrets, k8s.VolumeMount(name="tmp", mount_path=TEMPORARY)]


def temporary_volume(size: str) -> k8s.Volume:
    """An emptyDir named tmp that holds ``size`` at most."""
    return k8s.Volume(name="tmp", empty_dir=k8s.EmptyDirVolumeSource(size_limit=k8s.Quantity.from_string(size)))


def _secret_volume(volume: str, name: str) -> k8s.Volume:
    # 0440: the pod's group reads, since the files belong to root.
    return k8s.Volume(name=volume, secret=k8s.SecretVolumeSource(secret_name=name, default_mode=0o440))


def _database_volume(volume: str, name: str, *, certificate: str) -> k8s.Volume:
    """The Secret ``name``, and the certificate and the key of another one beside it; a renewed one arrives in time."""
    pair = [k8s.KeyToPath(key=key, path=key) for key in ("tls.crt", "tls.key")]
    sources = [
        k8s.VolumeProjection(secret=k8s.SecretProjection(name=name)),
        k8s.VolumeProjection(secret=k8s.SecretProjection(name=certificate, items=pair)),
    ]
    # libpq takes a key that its group may read only if root owns it, as the kubelet has it.
    return k8s.Volume(name=volume, projected=k8s.ProjectedVolumeSource(sources=sources, default_mode=0o440))


def _bundle_volume(kind: str, name: str, key: str) -> k8s.Volume:
    # Of a Secret with a key beside the certificate, only the certificate is mounted.
    items = [k8s.KeyToPath(key=key, path="ca.crt")]
    if kind == "Secret":
        return k8s.Volume(name="secret-ca", secret=k8s.SecretVolumeSource(secret_name=name, items=items))
    return k8s.Volume(name="secret-ca", config_map=k8s.ConfigMapVolumeSource(name=name, items=items))


class ContainerFields(TypedDict, total=False):
    """What the containers of our image differ by."""

    env: Sequence[k8s.EnvVar]
    ports: Sequence[k8s.ContainerPort]
    volume_mounts: Sequence[k8s.VolumeMount]
    resources: k8s.ResourceRequirements
    startup_probe: k8s.Probe
    readiness_probe: k8s.Probe
    liveness_probe: k8s.Probe
    lifecycle: k8s.Lifecycle | None


class PodFields(TypedDict, total=False):
    """What the pods of our image differ by."""

    init_containers: Sequence[k8s.Container] | None
    restart_policy: str
    affinity: k8s.Affinity | None
    topology_spread_constraints: Sequence[k8s.TopologySpreadConstraint] | None
    termination_grace_period_seconds: int


class PlacementFields(TypedDict):
    """What every pod of ours has, whatever it runs."""

    automount_service_account_token: bool
    enable_service_links: bool
    image_pull_secrets: Sequence[k8s.LocalObjectReference] | None
    node_selector: Mapping[str, str] | None
    tolerations: Sequence[k8s.Toleration] | None
    priority_class_name: str | None
    host_aliases: Sequence[k8s.HostAlias] | None


def program(
    name: str, arguments: Sequence[str], *, settings: Settings, **fields: Unpack[ContainerFields]
) -> k8s.Container:
    """A container that runs ``mlflow-sso`` of our image."""
    return k8s.Container(
        name=name,
        image=settings.image_reference,
        image_pull_policy=settings.image.pull_policy,
        # Not the image's entry point: an image that is built on ours need not keep it.
        command=["mlflow-sso"],
        args=list(arguments),
        security_context=container_security(),
        **fields,
    )


def pod(
    settings: Settings, *, containers: Sequence[k8s.Container], mounts: Mounts, **fields: Unpack[PodFields]
) -> k8s.PodSpec:
    """A pod of our image.

    Service links are off: for a Service named ``mlflow`` the kubelet would set MLFLOW_PORT=tcp://…, which MLflow reads
    as its port and refuses.
    """
    return k8s.PodSpec(
        # Our own is called as the server is.
        service_account_name=settings.server.service_account or settings.name,
        security_context=pod_security(settings.server.user_id),
        containers=list(containers),
        volumes=mounts.volumes,
        **placement(settings),
        **fields,
    )


def placement(settings: Settings) -> PlacementFields:
    """What every pod of ours has, whatever it runs: no API token, no service links, where it may run, who pulls."""
    server = settings.server
    return {
        "automount_service_account_token": False,
        "enable_service_links": False,
        "image_pull_secrets": [k8s.LocalObjectReference(name=name) for name in settings.image.pull_secrets] or None,
        "node_selector": server.node_selector or None,
        "tolerations": [_toleration(t.key, t.operator, t.value, t.effect) for t in server.tolerations] or None,
        "priority_class_name": server.priority_class,
        "host_aliases": [
            k8s.HostAlias(ip=address, hostnames=[*names]) for address, names in settings.pods.host_aliases.items()
        ]
        or None,
    }


def pod_metadata(
    settings: Settings,
    component: Component,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> k8s.ObjectMeta:
    """Metadata of a pod of ours: what the settings give every pod, then ``labels`` and ``annotations``."""
    own = pod_labels(component, name=settings.name, instance=settings.instance)
    identity = _IDENTITY_LABEL if settings.uses_azure_identity and component in _OF_ARTIFACTS else {}
    return k8s.ObjectMeta(
        # Ours are last: a label of the settings cannot change what selectors and policies see.
        labels={**settings.pods.labels, **(labels or {}), **identity, **own},
        annotations={**settings.pods.annotations, **(annotations or {})} or None,
    )


def _toleration(key: str, operator: str, value: str, effect: str | None) -> k8s.Toleration:
    # An empty value is written as absent by the API server.
    return k8s.Toleration(key=key, operator=operator, value=value or None, effect=effect)
