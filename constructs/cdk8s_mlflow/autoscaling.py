"""The HorizontalPodAutoscaler of the tracking server."""

from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow.metadata import metadata
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.autoscaling import AutoscalingSettings, PodMetricSettings


class ServerAutoscaler(Construct):
    """Scales the Deployment between ``min_replicas`` and ``max_replicas`` by CPU and further metrics.

    The Deployment must have no ``spec.replicas``: a GitOps controller would set it back at every reconciliation.
    Source: Kubernetes documentation, "Horizontal Pod Autoscaling", section on migrating Deployments.
    """

    def __init__(self, scope: Construct, id: str, *, settings: Settings, autoscaling: AutoscalingSettings) -> None:
        super().__init__(scope, id)
        k8s.KubeHorizontalPodAutoscalerV2(
            self,
            "Resource",
            metadata=metadata(settings.name, namespace=settings.namespace, component="tracking-server"),
            spec=k8s.HorizontalPodAutoscalerSpecV2(
                scale_target_ref=k8s.CrossVersionObjectReferenceV2(
                    api_version="apps/v1", kind="Deployment", name=settings.name
                ),
                min_replicas=autoscaling.min_replicas,
                max_replicas=autoscaling.max_replicas,
                metrics=[_cpu(autoscaling.cpu_percent), *(_pods(metric) for metric in autoscaling.pod_metrics)],
                behavior=_behavior(autoscaling),
            ),
        )


def _cpu(percent: int) -> k8s.MetricSpecV2:
    target = k8s.MetricTargetV2(type="Utilization", average_utilization=percent)
    return k8s.MetricSpecV2(type="Resource", resource=k8s.ResourceMetricSourceV2(name="cpu", target=target))


def _pods(metric: PodMetricSettings) -> k8s.MetricSpecV2:
    value = k8s.Quantity.from_string(metric.average_value)
    source = k8s.PodsMetricSourceV2(
        metric=k8s.MetricIdentifierV2(name=metric.name),
        target=k8s.MetricTargetV2(type="AverageValue", average_value=value),
    )
    return k8s.MetricSpecV2(type="Pods", pods=source)


def _behavior(autoscaling: AutoscalingSettings) -> k8s.HorizontalPodAutoscalerBehaviorV2:
    """At most doubles in a minute, and stops one pod a minute."""
    return k8s.HorizontalPodAutoscalerBehaviorV2(
        scale_up=k8s.HpaScalingRulesV2(
            stabilization_window_seconds=autoscaling.scale_up_window_seconds,
            # A sole policy is followed under Max and Min alike; it is written out since the API server adds it.
            select_policy="Max",
            policies=[k8s.HpaScalingPolicyV2(type="Percent", value=100, period_seconds=60)],
        ),
        scale_down=k8s.HpaScalingRulesV2(
            stabilization_window_seconds=autoscaling.scale_down_window_seconds,
            select_policy="Max",
            # Each stopped pod drains uploads for its grace period; stopping
            # several at once would send all their clients to the rest.
            policies=[k8s.HpaScalingPolicyV2(type="Pods", value=1, period_seconds=60)],
        ),
    )
