"""A Cloudflare Tunnel that brings public requests to Traefik without an open port."""

from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow.contract import tunnel_secret
from cdk8s_mlflow.metadata import metadata, selector
from cdk8s_mlflow.pods import container_security, placement, pod_metadata, pod_security, resources
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.ingress import CloudflaredSettings

METRICS_PORT = 2000
_USER = 65532
"""User of Cloudflare's image."""


class CloudflareTunnel(Construct):
    """Connectors whose routes are kept at Cloudflare; the token comes from a file, never from the environment."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, tunnel: CloudflaredSettings) -> None:
        super().__init__(scope, id)
        k8s.KubeDeployment(
            self,
            "Deployment",
            metadata=metadata(f"{settings.name}-cloudflared", namespace=settings.namespace, component="tunnel"),
            spec=k8s.DeploymentSpec(
                replicas=tunnel.replicas,
                revision_history_limit=3,
                selector=k8s.LabelSelector(match_labels=selector("tunnel", settings.name)),
                template=k8s.PodTemplateSpec(metadata=pod_metadata(settings, "tunnel"), spec=_pod(settings, tunnel)),
            ),
        )


def _pod(settings: Settings, tunnel: CloudflaredSettings) -> k8s.PodSpec:
    source = k8s.SecretVolumeSource(secret_name=tunnel_secret(settings), default_mode=0o440)
    return k8s.PodSpec(
        **placement(settings),
        security_context=pod_security(_USER if settings.server.user_id is not None else None),
        containers=[_connector(tunnel)],
        volumes=[k8s.Volume(name="token", secret=source)],
    )


def _connector(settings: CloudflaredSettings) -> k8s.Container:
    token = "/etc/cloudflared/token"  # noqa: S105  (the name of a file)
    # Without an address Go listens on those of both families.
    metrics = ["--metrics", f":{METRICS_PORT}"]
    # 4 is cloudflared's own default (Cloudflare's documentation, "Tunnel run parameters").
    edge = [] if settings.edge_ip_version == "4" else ["--edge-ip-version", settings.edge_ip_version]
    arguments = ["tunnel", "--no-autoupdate", *metrics, *edge, "run", "--token-file", token]

    def probe(*, failures: int) -> k8s.Probe:
        ready = k8s.HttpGetAction(path="/ready", port=k8s.IntOrString.from_string("metrics"))
        return k8s.Probe(http_get=ready, period_seconds=10, timeout_seconds=5, failure_threshold=failures)

    return k8s.Container(
        name="cloudflared",
        image=settings.image,
        image_pull_policy="Always",
        args=arguments,
        ports=[k8s.ContainerPort(name="metrics", container_port=METRICS_PORT, protocol="TCP")],
        security_context=container_security(),
        resources=resources(cpu=("20m", "500m"), memory=("64Mi", "256Mi"), disk=("16Mi", "64Mi")),
        readiness_probe=probe(failures=3),
        liveness_probe=probe(failures=6),
        volume_mounts=[k8s.VolumeMount(name="token", mount_path="/etc/cloudflared", read_only=True)],
    )
