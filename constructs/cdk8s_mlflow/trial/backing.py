"""Small PostgreSQL, MinIO, Keycloak, Redis and a proxy for TLS, each a Deployment of one pod behind a Service.

Their data lasts as long as their pods.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cdk8s import Chart
from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow import __version__
from cdk8s_mlflow.annotations import VERSION_ANNOTATION
from cdk8s_mlflow.pods import container_security, pod_security, temporary_volume
from cdk8s_mlflow.trial.settings import (
    AUTHORITY,
    CERTIFICATE,
    CONTAINER_PORT,
    KEYCLOAK_FILE,
    KEYCLOAK_HOST,
    PASSWORDS,
    REALM_FILE,
    REDIS_FILE,
    ROUTES,
    Trial,
    pods,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """What a backing service differs by."""

    name: str
    image: str
    user: int
    """Numeric user of the public image."""
    ports: Sequence[tuple[int, int]]
    """Port of the Service and of the container."""
    probe: k8s.Probe
    arguments: Sequence[str]
    memory: str = "256Mi"
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, k8s.Volume] = field(default_factory=dict)
    """Volumes that are only read, by folder."""
    writable: Sequence[str] = ()
    """Folders beside /tmp that the server writes to."""
    read_only: bool = True
    """Whether the rest of its root file system can be read-only."""


class BackingServer(Construct):
    """A Deployment of one pod and its Service, named ``try-NAME``."""

    def __init__(self, scope: Construct, id: str, *, server: Server, namespace: str) -> None:
        super().__init__(scope, id)
        labels, name = pods(server.name), f"try-{server.name}"
        metadata = k8s.ObjectMeta(name=name, namespace=namespace, labels=labels)
        k8s.KubeDeployment(
            self,
            "Deployment",
            metadata=metadata,
            spec=k8s.DeploymentSpec(
                replicas=1,
                # Two pods would not share a folder of data.
                strategy=k8s.DeploymentStrategy(type="Recreate"),
                selector=k8s.LabelSelector(match_labels=labels),
                template=k8s.PodTemplateSpec(
                    metadata=k8s.ObjectMeta(labels=labels, annotations={VERSION_ANNOTATION: __version__}),
                    spec=_pod(server),
                ),
            ),
        )
        ports = [
            k8s.ServicePort(name=f"port-{port}", port=port, target_port=k8s.IntOrString.from_number(target))
            for port, target in server.ports
        ]
        k8s.KubeService(self, "Service", metadata=metadata, spec=k8s.ServiceSpec(selector=labels, ports=ports))


def _pod(server: Server) -> k8s.PodSpec:
    folders = {path: f"data-{number}" for number, path in enumerate(server.writable)}
    mounts = [
        k8s.VolumeMount(name="tmp", mount_path="/tmp"),  # noqa: S108  (an emptyDir of the pod)
        *(k8s.VolumeMount(name=name, mount_path=path) for path, name in folders.items()),
        *(k8s.VolumeMount(name=v.name, mount_path=path, read_only=True) for path, v in server.files.items()),
    ]
    quantity = k8s.Quantity.from_string
    container = k8s.Container(
        name=server.name,
        image=server.image,
        image_pull_policy="IfNotPresent",
        args=list(server.arguments),
        env=[k8s.EnvVar(name=name, value=value) for name, value in server.environment.items()],
        ports=[k8s.ContainerPort(container_port=target) for _, target in server.ports],
        resources=k8s.ResourceRequirements(
            requests={"cpu": quantity("20m"), "memory": quantity(server.memory)},
            # No limit of CPU: Keycloak compiles at its start, and would take minutes more.
            limits={"memory": quantity(server.memory)},
        ),
        startup_probe=_patient(server.probe),
        readiness_probe=server.probe,
        security_context=container_security(read_only=server.read_only),
        volume_mounts=mounts,
    )
    return k8s.PodSpec(
        automount_service_account_token=False,
        enable_service_links=False,
        security_context=pod_security(server.user),
        containers=[container],
        volumes=[
            temporary_volume("256Mi"),
            *(k8s.Volume(name=name, empty_dir=k8s.EmptyDirVolumeSource()) for name in folders.values()),
            *server.files.values(),
        ],
    )


def _connects(port: int) -> k8s.Probe:
    return k8s.Probe(tcp_socket=k8s.TcpSocketAction(port=k8s.IntOrString.from_number(port)), period_seconds=2)


def _answers(path: str, port: int) -> k8s.Probe:
    action = k8s.HttpGetAction(path=path, port=k8s.IntOrString.from_number(port))
    return k8s.Probe(http_get=action, period_seconds=2, timeout_seconds=5)


def _patient(probe: k8s.Probe) -> k8s.Probe:
    """The same for ten minutes, as long as Keycloak may take on a busy machine."""
    return k8s.Probe(
        http_get=probe.http_get,
        tcp_socket=probe.tcp_socket,
        period_seconds=2,
        timeout_seconds=probe.timeout_seconds,
        failure_threshold=300,
    )


def _secret(name: str, *keys: str) -> k8s.Volume:
    """A Secret, or only these keys of it, as files that the pod's group reads."""
    items = [k8s.KeyToPath(key=key, path=key) for key in keys] or None
    return k8s.Volume(name=name, secret=k8s.SecretVolumeSource(secret_name=name, default_mode=0o440, items=items))


def servers(trial: Trial) -> list[Server]:
    """All of them, as their public images are documented to be configured."""
    images = trial.images
    return [
        _postgres(images["postgres"]),
        _minio(images["minio"]),
        _keycloak(images["keycloak"], public=f"https://{KEYCLOAK_HOST}:{trial.port}"),
        _redis(images["redis"]),
        _traefik(images["traefik"], port=trial.port),
    ]


def _postgres(image: str) -> Server:
    return Server(
        name="postgres",
        image=image,
        user=999,
        ports=[(5432, 5432)],
        probe=_connects(5432),
        arguments=["-c", "ssl=on", "-c", "ssl_cert_file=/tls/tls.crt", "-c", "ssl_key_file=/tls/tls.key"],
        environment={
            # A folder below the mount: initdb refuses one that is not empty, or that belongs to another user.
            "PGDATA": "/var/lib/postgresql/data/try",
            "POSTGRES_PASSWORD_FILE": "/passwords/postgres",
        },
        # Only its own password of the Secret that has all.
        files={"/tls": _secret(CERTIFICATE), "/passwords": _secret(PASSWORDS, "postgres")},
        writable=["/var/lib/postgresql/data", "/var/run/postgresql"],
    )


def _minio(image: str) -> Server:
    return Server(
        name="minio",
        image=image,
        user=1000,
        ports=[(9000, 9000)],
        probe=_answers("/minio/health/ready", 9000),
        arguments=["server", "/data"],
        memory="512Mi",
        environment={
            "MINIO_ROOT_USER": "admin",
            "MINIO_ROOT_PASSWORD_FILE": "/passwords/minio",
            "MINIO_UPDATE": "off",
            # MinIO creates ~/.minio for certificates; the home of its image is read-only here.
            "HOME": "/tmp",  # noqa: S108  (an emptyDir of the pod)
        },
        files={"/passwords": _secret(PASSWORDS, "minio")},
        writable=["/data"],
    )


def _keycloak(image: str, *, public: str) -> Server:
    return Server(
        name="keycloak",
        image=image,
        user=1000,
        ports=[(8080, 8080)],
        probe=_answers("/health/ready", 9000),
        arguments=[
            "--config-file=/configuration/keycloak.conf",
            *("start-dev", "--import-realm", "--health-enabled=true", "--proxy-headers=xforwarded"),
            f"--hostname={public}",
        ],
        memory="1Gi",
        environment={"JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx640m"},
        files={"/opt/keycloak/data/import": _secret(REALM_FILE), "/configuration": _secret(KEYCLOAK_FILE)},
        writable=["/opt/keycloak/data"],
        # It compiles its configuration into its own folder.
        read_only=False,
    )


def _redis(image: str) -> Server:
    return Server(
        name="redis",
        image=image,
        user=999,
        ports=[(6379, 6379)],
        probe=_connects(6379),
        arguments=["redis-server", "/configuration/redis.conf"],
        files={"/configuration": _secret(REDIS_FILE)},
        writable=["/data"],
    )


def _traefik(image: str, *, port: int) -> Server:
    return Server(
        name="traefik",
        image=image,
        user=65532,
        # The Service has the public port, since redirects of Keycloak name it inside the cluster as well.
        ports=[(port, CONTAINER_PORT)],
        probe=_answers("/ping", 8082),
        arguments=[
            f"--entrypoints.websecure.address=:{CONTAINER_PORT}",
            "--entrypoints.ping.address=:8082",
            *("--ping=true", "--ping.entrypoint=ping", "--providers.file.filename=/routes/routes.yaml"),
            *("--global.checknewversion=false", "--global.sendanonymoususage=false"),
        ],
        files={
            "/routes": k8s.Volume(name=ROUTES, config_map=k8s.ConfigMapVolumeSource(name=ROUTES)),
            "/tls": _secret(CERTIFICATE),
        },
    )


class BackingChart(Chart):
    """All backing services, and the ConfigMap with the authority."""

    def __init__(self, scope: Construct, id: str, *, trial: Trial, authority: str, routes: str) -> None:
        super().__init__(scope, id, disable_resource_name_hashes=True)
        for name, data in ((AUTHORITY, {"ca.crt": authority}), (ROUTES, {"routes.yaml": routes})):
            k8s.KubeConfigMap(self, name, metadata=k8s.ObjectMeta(name=name, namespace=trial.namespace), data=data)
        for server in servers(trial):
            BackingServer(self, server.name, server=server, namespace=trial.namespace)
