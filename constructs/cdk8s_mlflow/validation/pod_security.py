"""The Pod Security Standard "restricted" on every pod template: admission only warns on a Deployment.

Source: Kubernetes documentation, "Pod Security Standards".
"""

from collections.abc import Iterable, Iterator
from typing import Any

from cdk8s_mlflow.validation.problem import Manifest, ManifestProblem, containers

_VOLUMES = frozenset(
    {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
)

_SELINUX_TYPES = frozenset({"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"})


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
    if spec.get("securityContext", {}).get("seccompProfile", {}).get("type") == "Unconfined":
        yield "Seccomp: the pod's profile is Unconfined"
    yield from _confinement(spec.get("securityContext", {}))


def _containers(template: dict[str, Any]) -> Iterator[str]:
    pod = template["spec"].get("securityContext", {})
    for name, container in containers(template):
        own = container.get("securityContext", {})
        for message in (
            *_privileges(own),
            *_user(pod, own),
            *_seccomp(pod, own),
            *_confinement(own),
            *_hosts(container),
        ):
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
    # A container's own value replaces the pod's, also if it is the weaker one.
    if own.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "Running as Non-root: runAsNonRoot is not true"
    if own.get("runAsUser", pod.get("runAsUser")) == 0:
        yield "Running as Non-root user: runAsUser is 0"


def _seccomp(pod: dict[str, Any], own: dict[str, Any]) -> Iterator[str]:
    profile = own.get("seccompProfile", pod.get("seccompProfile", {}))
    if profile.get("type") not in ("RuntimeDefault", "Localhost"):
        yield "Seccomp: the profile is neither RuntimeDefault nor Localhost"


def _confinement(context: dict[str, Any]) -> Iterator[str]:
    if context.get("appArmorProfile", {}).get("type") == "Unconfined":
        yield "AppArmor: the profile is Unconfined"
    linux = context.get("seLinuxOptions", {})
    if linux.get("user") or linux.get("role") or linux.get("type", "") not in _SELINUX_TYPES:
        yield "SELinux: a user, a role or a type of one's own is set"
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield "HostProcess: hostProcess is true"


def _hosts(container: dict[str, Any]) -> Iterator[str]:
    hooks = container.get("lifecycle", {})
    probes = [container.get(name, {}) for name in ("livenessProbe", "readinessProbe", "startupProbe")]
    for action in (*probes, *hooks.values()):
        if any(action.get(kind, {}).get("host") for kind in ("httpGet", "tcpSocket")):
            yield "Host Probes / Lifecycle Hooks: a host is set"
