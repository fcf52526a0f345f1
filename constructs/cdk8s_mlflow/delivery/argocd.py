"""Argo CD: one Application of both folders, ordered by waves, that tries again while stores are not ready."""

from cdk8s import ApiObjectMetadata
from constructs import Construct

from cdk8s_mlflow.contract import has_database_objects
from cdk8s_mlflow.metadata import labels
from cdk8s_mlflow.settings import Settings
from cdk8s_mlflow.settings.delivery import DeliverySettings
from cdk8s_mlflow_crds.io import argoproj

# The status of an older generation says nothing of the change that was just applied.
_HEALTH = """\
    hs = {status = "Progressing", message = "waiting for CloudNativePG"}
    if obj.status ~= nil and obj.status.observedGeneration ~= nil
        and obj.status.observedGeneration < obj.metadata.generation then
      return hs
    end
    if obj.status ~= nil and obj.status.applied ~= nil then
      if obj.status.applied then
        hs.status = "Healthy"
      else
        hs.status = "Degraded"
      end
      hs.message = obj.status.message or ""
    end
    return hs
"""

_BACKUP_HEALTH = """\
    hs = {status = "Progressing", message = "waiting for CloudNativePG"}
    if obj.status ~= nil and obj.status.phase == "completed" then
      hs.status = "Healthy"
    elseif obj.status ~= nil and obj.status.phase == "failed" then
      hs.status = "Degraded"
    end
    if obj.status ~= nil and obj.status.error ~= nil then
      hs.message = obj.status.error
    end
    return hs
"""


def health_script(*, backup: bool) -> str:
    """Health checks for Argo CD's configuration, in Lua (Argo CD documentation, "Resource Health")."""
    scripts = {"Database": _HEALTH, "DatabaseRole": _HEALTH, **({"Backup": _BACKUP_HEALTH} if backup else {})}
    kinds = "Database, DatabaseRole and Backup" if backup else "Database and DatabaseRole"
    # argocd-cm is shared by all Applications of the cluster, so no manifest of ours may own it.
    return f"# Paste into `data` of the ConfigMap argocd-cm: {kinds} have no conditions.\n" + "".join(
        f"resource.customizations.health.postgresql.cnpg.io_{kind}: |\n{script}" for kind, script in scripts.items()
    )


class ArgoDelivery(Construct):
    """An Application whose finalizer is left out: deleting it leaves what runs."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings, environment: str) -> None:
        super().__init__(scope, id)
        delivery = settings.delivery
        argoproj.Application(
            self,
            "Resource",
            metadata=ApiObjectMetadata(
                name=settings.delivery_name(environment), namespace=delivery.argocd_namespace, labels=labels()
            ),
            spec=argoproj.ApplicationSpec(
                project=delivery.argocd_project,
                destination=argoproj.ApplicationSpecDestination(
                    server=delivery.argocd_server, namespace=settings.namespace
                ),
                sources=[
                    argoproj.ApplicationSpecSources(
                        repo_url=delivery.repository,
                        target_revision=delivery.revision,
                        path=f"{delivery.path}/{environment}/{part}",
                    )
                    # Two sources of one Application, since only within one do sync waves order objects of both folders.
                    for part in (("database", "application") if has_database_objects(settings) else ("application",))
                ],
                sync_policy=_sync_policy(delivery),
            ),
        )


def _sync_policy(delivery: DeliverySettings) -> argoproj.ApplicationSpecSyncPolicy:
    """Everything is applied at each try: with ApplyOutOfSyncOnly the second one would pass by a failed migration."""
    # Stores and operators take minutes on a first install, and a Degraded object fails the whole sync.
    backoff = argoproj.ApplicationSpecSyncPolicyRetryBackoff(duration="15s", factor=2, max_duration="5m")
    return argoproj.ApplicationSpecSyncPolicy(
        automated=argoproj.ApplicationSpecSyncPolicyAutomated(prune=True, self_heal=True),
        # PruneLast: the Job of the last migration goes only after the new one has succeeded.
        sync_options=["ServerSideApply=true", "PruneLast=true"],
        retry=argoproj.ApplicationSpecSyncPolicyRetry(
            # Without a refresh a fixing commit waits until the retries of
            # the broken one are used up (Argo CD 3.2 and newer have it).
            limit=delivery.retries,
            backoff=backoff,
            refresh=True if delivery.argocd_refreshes_retries else None,
        ),
    )
