"""Rules for the traffic to what hands out keys for a pod's cloud identity."""

from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.reach import is_proxied
from cdk8s_mlflow.traffic import EgressRules, networks, public_addresses, rule_to

_POD_IDENTITY_AGENT = ("169.254.170.23/32", "fd00:ec2::23/128")
"""EKS Pod Identity's agent on each node, in clusters of IPv4 and of IPv6."""

_GOOGLE_TOKENS = "oauth2.googleapis.com"

_GKE_METADATA = (("169.254.169.252/32", 987, 988), ("169.254.169.254/32", 80, 8080))
"""GKE's metadata server on each node, as policies see it: without Dataplane V2 and with it.

Source: Google, "Authenticate to Google Cloud APIs from GKE workloads", of clusters with network policies.
"""


def to_identity(settings: Settings) -> EgressRules:
    """Where AWS, Entra ID or Google hands out keys for the pod's identity, beside the bucket's own networks.

    Source: Amazon EKS documentation, "EKS Pod Identities" (the agent's link-local addresses and its port 80).
    """
    artifacts, private = settings.artifacts, bool(settings.network.artifact_cidrs)
    if settings.uses_gke_identity:
        return [rule_to(networks([cidr]), *ports) for cidr, *ports in _GKE_METADATA]
    if artifacts.is_gcs:
        return _to_google_tokens(settings)
    if artifacts.is_azure:
        return _to_token_service() if settings.uses_azure_identity and private else []
    return _to_aws_identity(settings, artifacts.credentials, private=private)


def to_backup_identity(settings: Settings) -> EgressRules:
    """The same for the bucket of dumps, which is of AWS if it is opened by an identity."""
    network, own = settings.network, settings.has_own_backup_endpoint
    private = bool(network.backup_cidrs if own else network.artifact_cidrs)
    return _to_aws_identity(settings, settings.backup.credentials, private=private)


def _to_aws_identity(settings: Settings, credentials: str, *, private: bool) -> EgressRules:
    """The agent of Pod Identity, or STS; both if only the owner of the ServiceAccount knows which."""
    server = settings.server
    has_role = "eks.amazonaws.com/role-arn" in server.service_account_annotations
    if credentials == "keys":
        return []
    # The agent listens on the node's link-local addresses, which "every public address" leaves out.
    agent = [] if has_role and credentials != "pod-identity" else [rule_to(networks(_POD_IDENTITY_AGENT), 80)]
    by_token = credentials == "service-account" and (has_role or server.service_account is not None)
    return [*agent, *(_to_token_service() if by_token and private else [])]


def _to_token_service() -> EgressRules:
    """STS, or Entra ID; without networks of its own the bucket is among all public addresses, and so are they."""
    return [rule_to(public_addresses(), 443)]


def _to_google_tokens(settings: Settings) -> EgressRules:
    """Where a service account's key is exchanged for tokens, unless the bucket's own rule or a proxy leads there."""
    network, endpoint = settings.network, settings.artifacts.endpoint
    elsewhere = network.artifact_cidrs or network.artifact_pods or endpoint
    if not elsewhere or is_proxied(_GOOGLE_TOKENS, settings):
        return []
    return [rule_to(public_addresses(), 443)]
