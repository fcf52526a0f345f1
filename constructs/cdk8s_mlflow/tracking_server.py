"""The MLflow tracking server: its Deployment, its Service, and how many pods may be away at once."""

import hashlib
import json
from collections.abc import Sequence

from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow import __version__, pod_parts
from cdk8s_mlflow.annotations import VERSION_ANNOTATION
from cdk8s_mlflow.autoscaling import ServerAutoscaler
from cdk8s_mlflow.contract import CONTAINER, HTTP_PORT, METRICS_PORT, secret_templates
from cdk8s_mlflow.metadata import eviction, metadata, selector
from cdk8s_mlflow.pods import Mounts, environment_variables, pod, pod_metadata, program, resources
from cdk8s_mlflow.server_environment import migration_environment, program_arguments, server_environment
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.pods import ServiceSettings
from cdk8s_mlflow.settings.resource_checks import SERVER_DISK_REQUEST
from cdk8s_mlflow.settings.server import END_SECONDS, ServerSettings

SERVICE_PORT = 80
_SECRET_FOLDERS = ("db", "s3", "azure", "gcs", "oidc", "server")


class TrackingServer(Construct):
    """Runs the server and gives it one address in the cluster."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        _deployment(self, settings)
        _services(self, settings)
        if settings.server.autoscaling:
            ServerAutoscaler(self, "Autoscaler", settings=settings, autoscaling=settings.server.autoscaling)
        if settings.server.most_replicas > 1:
            _disruption_budget(self, settings)


def _deployment(scope: Construct, settings: Settings) -> None:
    server = settings.server
    k8s.KubeDeployment(
        scope,
        "Deployment",
        metadata=metadata(
            settings.name, namespace=settings.namespace, component="tracking-server", more=server.annotations
        ),
        spec=k8s.DeploymentSpec(
            replicas=None if server.autoscaling else server.replicas,
            revision_history_limit=server.revision_history,
            # A new pod waits for the schema first, then starts.
            progress_deadline_seconds=settings.migration.wait_seconds + settings.tested_release.startup_seconds + 300,
            selector=k8s.LabelSelector(match_labels=selector("tracking-server", settings.name)),
            strategy=_strategy(server),
            template=_template(settings),
        ),
    )


def _strategy(server: ServerSettings) -> k8s.DeploymentStrategy:
    if server.strategy == "Recreate":
        return k8s.DeploymentStrategy(type="Recreate")
    number = k8s.IntOrString.from_number
    update = k8s.RollingUpdateDeployment(
        max_unavailable=number(server.max_unavailable), max_surge=number(server.max_surge)
    )
    return k8s.DeploymentStrategy(type="RollingUpdate", rolling_update=update)


def _template(settings: Settings) -> k8s.PodTemplateSpec:
    server = settings.server
    more = pod_parts.volumes(server.volumes)
    mounts = Mounts(settings, folders=_SECRET_FOLDERS, temporary_size=server.tmp_size, more=more)
    return k8s.PodTemplateSpec(
        metadata=pod_metadata(
            settings,
            "tracking-server",
            labels=server.pod_labels,
            annotations={
                **eviction(safe=True),
                **server.pod_annotations,
                "mlflow.cdk8s.io/configuration-checksum": configuration_checksum(settings),
            },
        ),
        spec=pod(
            settings,
            mounts=mounts,
            init_containers=[_schema_wait(settings, mounts), *map(pod_parts.container, server.init_containers)],
            containers=[_server(settings, mounts), *map(pod_parts.container, server.sidecars)],
            affinity=pod_parts.affinity(server, settings.name),
            topology_spread_constraints=pod_parts.topology_spread(server, settings.name),
            termination_grace_period_seconds=server.termination_grace_seconds,
        ),
    )


def configuration_checksum(settings: Settings) -> str:
    """Changes with what the mounted Secrets are made of, so that a changed service file starts new pods."""
    templates = {
        template.name: dict(template.data)
        for template in secret_templates(settings)
        if template.mount in _SECRET_FOLDERS
    }
    return hashlib.sha256(json.dumps(templates, sort_keys=True).encode()).hexdigest()[:16]


def _schema_wait(settings: Settings, mounts: Mounts) -> k8s.Container:
    """Waits, reading only, until the migration Job has brought both databases to this image's schema."""
    return program(
        "wait-for-schema",
        program_arguments("wait-for-schema", {"timeout": settings.migration.wait_seconds}),
        settings=settings,
        env=environment_variables(migration_environment(settings)),
        volume_mounts=mounts.only("db"),
        resources=resources(cpu=("50m", "1"), memory=("256Mi", "512Mi"), disk=("64Mi", "256Mi")),
    )


def _server(settings: Settings, mounts: Mounts) -> k8s.Container:
    server = settings.server
    own = server.resources
    return program(
        CONTAINER,
        _server_arguments(settings),
        settings=settings,
        env=[*environment_variables(server_environment(settings)), *pod_parts.variables_from(server.value_from)],
        ports=[_port("http", HTTP_PORT), _port("metrics", METRICS_PORT)],
        volume_mounts=[*mounts.container_mounts, *pod_parts.mounts(server.mounts)],
        resources=resources(
            cpu=(own.cpu_request, own.cpu_limit),
            memory=(own.memory_request, own.memory_limit),
            disk=(SERVER_DISK_REQUEST, server.tmp_size),
        ),
        startup_probe=_probe(period=5, timeout=5, failures=settings.tested_release.startup_seconds // 5),
        readiness_probe=_probe(period=5, timeout=5, failures=3),
        liveness_probe=_probe(period=20, timeout=10, failures=6),
        # Endpoints are told of a stopping pod while it still answers.
        lifecycle=_drain(server.drain_seconds) if server.drain_seconds else None,
    )


def _drain(seconds: int) -> k8s.Lifecycle:
    command = ["sleep", str(seconds)]
    return k8s.Lifecycle(pre_stop=k8s.LifecycleHandler(exec=k8s.ExecAction(command=command)))


def _server_arguments(settings: Settings) -> list[str]:
    server = settings.server
    flags: dict[str, str | int] = {
        "app-name": settings.tested_release.app_name,
        "workers": server.workers,
        "port": HTTP_PORT,
        "metrics-port": METRICS_PORT,
        "grace-seconds": server.termination_grace_seconds - server.drain_seconds - END_SECONDS,
    }
    return program_arguments("serve", flags)


def _port(name: str, number: int) -> k8s.ContainerPort:
    return k8s.ContainerPort(name=name, container_port=number, protocol="TCP")


def _probe(*, period: int, timeout: int, failures: int) -> k8s.Probe:
    """Asks on the metrics port, where a thread of its own answers for the event loops of all workers.

    /health touches no dependency, and no request, thread or connection of the public port can keep it waiting.
    """
    return k8s.Probe(
        http_get=k8s.HttpGetAction(path="/health", port=k8s.IntOrString.from_string("metrics")),
        period_seconds=period,
        timeout_seconds=timeout,
        failure_threshold=failures,
    )


def _services(scope: Construct, settings: Settings) -> None:
    """One Service, or two if the first leads out of the cluster, which metrics never do."""
    outside = settings.metrics_service != settings.name
    ports = [_service_port("http", SERVICE_PORT), *([] if outside else [_service_port("metrics", METRICS_PORT)])]
    _service(scope, "Service", settings, name=settings.name, ports=ports)
    if outside:
        ports = [_service_port("metrics", METRICS_PORT)]
        _service(scope, "Metrics", settings, name=settings.metrics_service, ports=ports)


def _service_port(name: str, number: int) -> k8s.ServicePort:
    return k8s.ServicePort(name=name, port=number, target_port=k8s.IntOrString.from_string(name), protocol="TCP")


def _service(scope: Construct, id: str, settings: Settings, *, name: str, ports: Sequence[k8s.ServicePort]) -> None:
    given = settings.server.service if name == settings.name else ServiceSettings()
    # The ServiceAccount says it unless it is not ours.
    version = {VERSION_ANNOTATION: __version__} if settings.server.service_account and name == settings.name else {}
    k8s.KubeService(
        scope,
        id,
        metadata=metadata(
            name,
            namespace=settings.namespace,
            component="tracking-server",
            more={**given.annotations, **version},
        ),
        spec=k8s.ServiceSpec(
            type=given.type,
            selector=selector("tracking-server", settings.name),
            ports=[*ports],
            load_balancer_source_ranges=[*given.source_ranges] or None,
        ),
    )


def _disruption_budget(scope: Construct, settings: Settings) -> None:
    k8s.KubePodDisruptionBudget(
        scope,
        "DisruptionBudget",
        metadata=metadata(settings.name, namespace=settings.namespace, component="tracking-server"),
        spec=k8s.PodDisruptionBudgetSpec(
            max_unavailable=k8s.IntOrString.from_number(1),
            selector=k8s.LabelSelector(match_labels=selector("tracking-server", settings.name)),
            unhealthy_pod_eviction_policy="AlwaysAllow",
        ),
    )
