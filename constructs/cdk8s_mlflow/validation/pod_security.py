"""The Pod Security Standard "restricted" on every pod template: admission only warns on a Deployment.

Source: Kubernetes documentation, "Pod Security Standards".
"""

from collections.abc import Iterable, Iterator
from typing import Any

from cdk8s_mlflow.validation.problem import Manifest, ManifestProblem, containers

_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)


def pod_security_problems(manifests: Iterable[Manifest]) -> Iterator[ManifestProblem]:
    """Where a pod template would not be admitted."""
    for manifest in manifests:
        template = manifest.pod_template
        if template is not None:
            for message in (*_pod(template["spec"]), *_containers(template)):
                yield manifest.problem("Pod Security restricted", message)


def _pod(spec: dict[str, Any]) -> Iterator[str]:
    for namespace in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(namespace):
            yield f"Host Namespaces: {namespace} is set"
    for volume in spec.get("volumes", []):
        kinds = volume.keys() - {"name"}
        if not kinds <= _VOLUMES:
            yield f"Volume Types: {volume['name']} is a {', '.join(sorted(kinds))}"
    for sysctl in spec.get("securityContext", {}).get("sysctls", []):
        yield f"Sysctls: {sysctl['name']} is set"


def _containers(template: dict[str, Any]) -> Iterator[str]:
    pod = template["spec"].get("securityContext", {})
    for name, container in containers(template):
        own = container.get("securityContext", {})
        for message in (*_privileges(own), *_user(pod, own), *_seccomp(pod, own)):
            yield f"{message} (container {name})"
        if any("hostPort" in port for port in container.get("ports", [])):
            yield f"Host Ports: a host port is asked for (container {name})"


def _privileges(own: dict[str, Any]) -> Iterator[str]:
    if own.get("privileged"):
        yield "Privileged Containers: privileged is true"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "Privilege Escalation: allowPrivilegeEscalation is not false"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []):
        yield "Capabilities: ALL is not dropped"
    if set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}:
        yield "Capabilities: more than NET_BIND_SERVICE is added"
    if own.get("procMount", "Default") != "Default":
        yield "/proc Mount Type: is not the default"


def _user(pod: dict[str, Any], own: dict[str, Any]) -> Iterator[str]:
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "Running as Non-root: runAsNonRoot is not true"
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        yield "Running as Non-root user: runAsUser is 0"


def _seccomp(pod: dict[str, Any], own: dict[str, Any]) -> Iterator[str]:
    profile = own.get("seccompProfile", pod.get("seccompProfile", {}))
    if profile.get("type") not in ("RuntimeDefault", "Localhost"):
        yield "Seccomp: the profile is neither RuntimeDefault nor Localhost"
