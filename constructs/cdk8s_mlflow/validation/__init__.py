"""Checks of rendered manifests that need no cluster."""

from pathlib import Path

from cdk8s_mlflow.validation.custom_resources import custom_resource_problems
from cdk8s_mlflow.validation.kubernetes_schemas import kubernetes_problems
from cdk8s_mlflow.validation.pod_security import pod_security_problems
from cdk8s_mlflow.validation.problem import Manifest, ManifestProblem, read_manifests
from cdk8s_mlflow.validation.references import reference_problems
from cdk8s_mlflow.validation.secret_values import secret_value_problems
from cdk8s_mlflow.validation.waves import wave_problems
from cdk8s_mlflow.validation.yaml_versions import yaml_version_problems


def validate(folder: Path) -> list[ManifestProblem]:
    """Every problem in the manifests below ``folder``, one environment's tree."""
    manifests = read_manifests(folder)
    return [
        *kubernetes_problems(manifests),
        *custom_resource_problems(manifests),
        *pod_security_problems(manifests),
        *secret_value_problems(manifests),
        *reference_problems(manifests),
        *wave_problems(manifests),
        *yaml_version_problems(folder),
    ]


__all__ = ["Manifest", "ManifestProblem", "read_manifests", "validate"]
