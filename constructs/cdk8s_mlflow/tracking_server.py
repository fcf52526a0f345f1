"""The MLflow tracking server: its Deployment, its Service, and how many pods may be away at once."""

import hashlib
import json

from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow.autoscaling import ServerAutoscaler
from cdk8s_mlflow.contract import APP, HTTP_PORT, METRICS_PORT, secret_recipes
from cdk8s_mlflow.metadata import eviction, metadata, pod_labels, selector
from cdk8s_mlflow.pods import Mounts, environment_variables, pod, program, resources
from cdk8s_mlflow.server_environment import migration_environment, program_arguments, server_environment
from cdk8s_mlflow.settings import Settings

SERVICE_PORT = 80
_SECRET_FOLDERS = ("db", "s3", "oidc", "server")


class TrackingServer(Construct):
    """Runs the server and gives it one address in the cluster."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        _deployment(self, settings)
        _service(self, settings)
        if settings.server.autoscaling:
            ServerAutoscaler(self, "Autoscaler", settings=settings, autoscaling=settings.server.autoscaling)
        if settings.server.most_replicas > 1:
            _disruption_budget(self, settings)


def _deployment(scope: Construct, settings: Settings) -> None:
    server = settings.server
    k8s.KubeDeployment(
        scope,
        "Deployment",
        metadata=metadata(APP, namespace=settings.namespace, component="tracking-server", more=server.annotations),
        spec=k8s.DeploymentSpec(
            replicas=None if server.autoscaling else server.replicas,
            revision_history_limit=3,
            # A new pod waits for the schema first, then starts.
            progress_deadline_seconds=settings.migration.wait_seconds + settings.tested_release.startup_seconds + 300,
            selector=k8s.LabelSelector(match_labels=selector("tracking-server")),
            strategy=k8s.DeploymentStrategy(type="RollingUpdate", rolling_update=_surge_first()),
            template=_template(settings),
        ),
    )


def _surge_first() -> k8s.RollingUpdateDeployment:
    """The new pod is ready before the old one goes."""
    return k8s.RollingUpdateDeployment(
        max_unavailable=k8s.IntOrString.from_number(0), max_surge=k8s.IntOrString.from_number(1)
    )


def _template(settings: Settings) -> k8s.PodTemplateSpec:
    mounts = Mounts(settings, folders=_SECRET_FOLDERS, temporary_size=settings.server.tmp_size)
    return k8s.PodTemplateSpec(
        metadata=k8s.ObjectMeta(
            labels=pod_labels("tracking-server", settings.instance),
            annotations={
                "mlflow.cdk8s.io/configuration-checksum": configuration_checksum(settings),
                **eviction(safe=True),
            },
        ),
        spec=pod(
            settings,
            mounts=mounts,
            init_containers=[_schema_wait(settings, mounts)],
            containers=[_server(settings, mounts)],
            affinity=_spread_over_nodes(),
            topology_spread_constraints=[_spread_over_zones()],
            termination_grace_period_seconds=settings.server.termination_grace_seconds,
        ),
    )


def configuration_checksum(settings: Settings) -> str:
    """Changes with what the mounted Secrets are made of, so that a changed service file starts new pods."""
    recipes = {recipe.name: dict(recipe.data) for recipe in secret_recipes(settings) if recipe.mount in _SECRET_FOLDERS}
    return hashlib.sha256(json.dumps(recipes, sort_keys=True).encode()).hexdigest()[:16]


def _schema_wait(settings: Settings, mounts: Mounts) -> k8s.Container:
    """Waits, reading only, until the migration Job has brought both databases to this image's schema."""
    return program(
        "wait-for-schema",
        program_arguments("wait-for-schema", {"timeout": settings.migration.wait_seconds}),
        settings=settings,
        env=environment_variables(migration_environment()),
        volume_mounts=mounts.only("db"),
        resources=resources(cpu=("50m", "1"), memory=("256Mi", "512Mi"), disk=("64Mi", "256Mi")),
    )


def _server(settings: Settings, mounts: Mounts) -> k8s.Container:
    server = settings.server
    own = server.resources
    return program(
        "mlflow",
        _server_arguments(settings),
        settings=settings,
        env=environment_variables(server_environment(settings)),
        ports=[_port("http", HTTP_PORT), _port("metrics", METRICS_PORT)],
        volume_mounts=mounts.container_mounts,
        resources=resources(
            cpu=(own.cpu_request, own.cpu_limit),
            memory=(own.memory_request, own.memory_limit),
            disk=("256Mi", server.tmp_size),
        ),
        startup_probe=_probe(period=5, timeout=5, failures=settings.tested_release.startup_seconds // 5),
        readiness_probe=_probe(period=5, timeout=5, failures=3),
        liveness_probe=_probe(period=20, timeout=10, failures=6),
        # Endpoints are told of a stopping pod while it still answers.
        lifecycle=k8s.Lifecycle(pre_stop=k8s.LifecycleHandler(exec=k8s.ExecAction(command=["sleep", "5"]))),
    )


def _server_arguments(settings: Settings) -> list[str]:
    flags: dict[str, str | int] = {
        "app-name": settings.tested_release.app_name,
        "workers": settings.server.workers,
        "port": HTTP_PORT,
        "metrics-port": METRICS_PORT,
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


def _spread_over_nodes() -> k8s.Affinity:
    term = k8s.PodAffinityTerm(
        topology_key="kubernetes.io/hostname",
        label_selector=k8s.LabelSelector(match_labels=selector("tracking-server")),
    )
    preferred = k8s.WeightedPodAffinityTerm(weight=100, pod_affinity_term=term)
    return k8s.Affinity(
        pod_anti_affinity=k8s.PodAntiAffinity(preferred_during_scheduling_ignored_during_execution=[preferred])
    )


def _spread_over_zones() -> k8s.TopologySpreadConstraint:
    return k8s.TopologySpreadConstraint(
        max_skew=1,
        topology_key="topology.kubernetes.io/zone",
        when_unsatisfiable="ScheduleAnyway",
        label_selector=k8s.LabelSelector(match_labels=selector("tracking-server")),
    )


def _service(scope: Construct, settings: Settings) -> None:
    ports = [
        k8s.ServicePort(
            name="http", port=SERVICE_PORT, target_port=k8s.IntOrString.from_string("http"), protocol="TCP"
        ),
        k8s.ServicePort(
            name="metrics", port=METRICS_PORT, target_port=k8s.IntOrString.from_string("metrics"), protocol="TCP"
        ),
    ]
    k8s.KubeService(
        scope,
        "Service",
        metadata=metadata(APP, namespace=settings.namespace, component="tracking-server"),
        spec=k8s.ServiceSpec(type="ClusterIP", selector=selector("tracking-server"), ports=ports),
    )


def _disruption_budget(scope: Construct, settings: Settings) -> None:
    k8s.KubePodDisruptionBudget(
        scope,
        "DisruptionBudget",
        metadata=metadata(APP, namespace=settings.namespace, component="tracking-server"),
        spec=k8s.PodDisruptionBudgetSpec(
            max_unavailable=k8s.IntOrString.from_number(1),
            selector=k8s.LabelSelector(match_labels=selector("tracking-server")),
            unhealthy_pod_eviction_policy="AlwaysAllow",
        ),
    )
