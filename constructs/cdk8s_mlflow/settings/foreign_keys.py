"""Settings of other charts for MLflow, and what each of them is here, or why it is nothing here.

Read in the value files of the charts community-charts/mlflow and bitnami/mlflow. ``import-values`` carries a whole file
of the first over.
"""

from collections.abc import Mapping

_IMPORT = "`cdk8s-mlflow import-values` carries a whole values file over"

EQUIVALENTS: Mapping[str, str] = {
    "replicaCount": "server.replicas",
    "autoscaling": "server.autoscaling",
    "imagePullSecrets": "image.pull_secrets",
    "image.pullSecrets": "image.pull_secrets",
    "nameOverride": "name",
    "fullnameOverride": "name",
    "namespaceOverride": "namespace",
    "clusterDomain": "network.cluster_domain",
    "serviceAccount": "server.service_account_annotations",
    "strategy": "server.strategy",
    "updateStrategy": "server.strategy",
    "revisionHistoryLimit": "server.revision_history",
    "podAnnotations": "pods.annotations",
    "extraPodLabels": "pods.labels",
    "podLabels": "pods.labels",
    "commonLabels": "labels",
    "affinity": "server.node_affinity",
    "topologySpreadConstraints": "server.topology_spread",
    "initContainers": "server.init_containers",
    "extraContainers": "server.sidecars",
    "sidecars": "server.sidecars",
    "extraVolumes": "server.volumes",
    "extraVolumeMounts": "server.mounts",
    "service": "server.service",
    "deploymentAnnotations": "server.annotations",
    "resources": "server.resources",
    "nodeSelector": "server.node_selector",
    "tolerations": "server.tolerations",
    "priorityClassName": "server.priority_class",
    "podSecurityContext": "server.user_id",
    "log": "server.log_level",
    "backendStore": "database.host",
    "externalDatabase": "database.host",
    "artifactRoot": "artifacts.bucket",
    "externalS3": "artifacts.endpoint",
    "oidcAuth": "authentication.keycloak_host",
    "extraEnvVars": "server.extra_environment",
    "corsAllowedOrigins": "server.cors_origins",
    "serverAllowedHosts": "server.allowed_hosts",
    "serviceMonitor": "monitoring.service_monitor",
    "metrics": "monitoring.service_monitor",
    "garbageCollection": "maintenance.garbage_collection",
    "networkPolicy": "network.policies",
    "gateway": "ingress.gateway",
    "httpRoute": "ingress.gateway",
    "ingress.className": "ingress.class_name",
    "ingress.ingressClassName": "ingress.class_name",
    "ingress.hosts": "ingress.host",
    "ingress.hostname": "ingress.host",
    "ingress.extraHosts": "ingress.more_hosts",
    "ingress.tls": "ingress.tls_secret",
}
"""Settings that are one of ours, or a section of ours, under another name."""

_BACKING = "belongs to a backing service, which has its own operator and backups"
_FIXED = "is the same in every installation, so that it can be tested"
_SECRET = "is a secret, which the secret store keeps (`bootstrap.py secrets`)"  # noqa: S105  (a sentence)
_MANIFESTS = "is for objects of your own: put their manifests beside dist/"

REASONS: Mapping[str, str] = {
    "postgresql": _BACKING,
    "mysql": "is not supported: the permissions database and our migrations are tested on PostgreSQL only",
    "minio": _BACKING,
    "auth": "is not supported: users log in through Keycloak, or with access keys",
    "ldapAuth": "is not supported here: let Keycloak federate the directory (User federation, LDAP)",
    "oauth2Proxy": "is not needed: the server itself logs users in, and checks tokens and permissions",
    "telemetry": "stays off",
    "flaskServerSecretKey": _SECRET,
    "extraSecretNamesForEnvFrom": "would make secrets variables of the process; our Secrets are mounted as files",
    "extraEnvVarsSecret": "would make secrets variables of the process; our Secrets are mounted as files",
    "securityContext": "is that of the Pod Security Standard restricted; only server.user_id is a setting",
    "podSecurityContextEnabled": "is that of the Pod Security Standard restricted; only server.user_id is a setting",
    "extraArgs": "is for the command line of `mlflow server`, whose flags follow from server.workers and others",
    "extraFlags": "is for the command line of `mlflow server`, whose flags follow from the settings",
    "livenessProbe": _FIXED,
    "readinessProbe": _FIXED,
    "startupProbe": _FIXED,
    "initImages": "is not needed: every container runs our image",
    "gitImage": "is not needed: every container runs our image",
    "waitContainer": "is not needed: every container runs our image",
    "volumePermissions": "is not needed: every folder that is written to is an emptyDir",
    "persistence": "is not supported: artifacts are in a bucket, which every pod and every client can reach",
    "serverHost": "is every address of the pod, which the NetworkPolicy restricts",
    "extraDeploy": _MANIFESTS,
    "extraObjects": _MANIFESTS,
    "tracking": "is a section of bitnami/mlflow; server, authentication and ingress are ours",
    "run": "is a section of bitnami/mlflow for runs in the cluster; start them as Jobs of your own",
    "global": "is for subcharts, of which there are none",
    "kubeVersion": "follows from the cluster: the manifests are valid on Kubernetes 1.27 and newer",
    "diagnosticMode": "is not needed: `kubectl debug` attaches to a pod",
    "usePasswordFiles": "is always so: Secrets are mounted as files",
    "ingress.selfSigned": "is not supported: name ingress.cluster_issuer, or a Secret in ingress.tls_secret",
    "ingress.path": "is always /: MLflow under a prefix moves routes past the checks of permissions",
    "ingress.pathType": "is always Prefix",
    "staticPrefix": "is not supported: MLflow under a prefix moves routes past the checks of permissions",
}
"""Settings that are none of ours, each with the reason as a clause."""


def foreign_setting(key: str) -> str | None:
    """What to say of ``key``, a dotted key that is not a setting; None if no other chart known has it."""
    if key in EQUIVALENTS:
        return f"is a setting of another chart; set {EQUIVALENTS[key]} instead ({_IMPORT})"
    if key in REASONS:
        return f"is a setting of another chart, and {REASONS[key]}; remove it"
    return None
