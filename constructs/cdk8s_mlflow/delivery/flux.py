"""Flux: a source and two Kustomizations, the application after the database."""

from cdk8s import ApiObjectMetadata
from constructs import Construct

from cdk8s_mlflow.metadata import labels
from cdk8s_mlflow.settings.delivery import DeliverySettings
from cdk8s_mlflow_crds.io.fluxcd.toolkit import kustomize, source

_APPLIED = (
    "has(status.applied) && status.applied"
    " && (!has(status.observedGeneration) || status.observedGeneration == metadata.generation)"
)
"""An older generation's status says nothing of the change that was just applied."""


class FluxDelivery(Construct):
    """Applies ``database/``, if there is one, and, once that is healthy, ``application/``.

    ``backup`` says that it holds a Backup, which must be complete as well.

    CloudNativePG's Database and DatabaseRole report ``status.applied`` and no conditions, so Flux is told how to read
    their health (Flux documentation, "Kustomization", health check expressions). There is no expression for a failure:
    CloudNativePG first says ``applied: false`` while the role is not there yet, and Flux would give up at once.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        settings: DeliverySettings,
        name: str,
        environment: str,
        database: bool,
        backup: bool,
    ) -> None:
        super().__init__(scope, id)
        self._settings = settings
        self._backup = backup
        self._source = name
        self._environment = environment
        self._add_source()
        # A path that does not exist is an error for Flux, and nothing may be in database/.
        if database:
            self._add_kustomization("database", after=None)
        self._add_kustomization("application", after="database" if database else None)

    def _add_source(self) -> None:
        settings = self._settings
        secret = settings.credentials_secret
        # The kinds differ in how they name a revision: an artifact has a tag, a repository a branch.
        if settings.repository.startswith("oci://"):
            source.OciRepository(
                self,
                "Source",
                metadata=self._metadata(self._source),
                spec=source.OciRepositorySpec(
                    url=settings.repository,
                    interval=settings.interval,
                    ref=source.OciRepositorySpecRef(tag=settings.revision),
                    secret_ref=source.OciRepositorySpecSecretRef(name=secret) if secret else None,
                ),
            )
        else:
            source.GitRepository(
                self,
                "Source",
                metadata=self._metadata(self._source),
                spec=source.GitRepositorySpec(
                    url=settings.repository,
                    interval=settings.interval,
                    ref=source.GitRepositorySpecRef(branch=settings.revision),
                    secret_ref=source.GitRepositorySpecSecretRef(name=secret) if secret else None,
                ),
            )

    def _add_kustomization(self, part: str, *, after: str | None) -> None:
        settings = self._settings
        kustomize.Kustomization(
            self,
            part,
            metadata=self._metadata(self._name(part)),
            spec=kustomize.KustomizationSpec(
                source_ref=self._source_reference(),
                path=f"./{settings.path}/{self._environment}/{part}",
                interval=settings.interval,
                retry_interval=settings.retry_interval,
                timeout=settings.timeout,
                prune=True,
                # Without it a Kustomization is ready once its objects are
                # applied, and the application would not wait for the databases.
                wait=True,
                depends_on=[kustomize.KustomizationSpecDependsOn(name=self._name(after))] if after else None,
                # The application has none: Flux knows the health of Jobs,
                # Deployments and ExternalSecrets by their conditions.
                health_check_exprs=self._health_checks() if part == "database" else None,
                service_account_name=settings.flux_service_account,
            ),
        )

    def _health_checks(self) -> list[kustomize.KustomizationSpecHealthCheckExprs] | None:
        # The field is newer than some installations of Flux, whose CRD does not declare it.
        if not self._settings.flux_reads_health:
            return None
        return [_applied("Database"), _applied("DatabaseRole"), *([_completed()] if self._backup else [])]

    def _name(self, part: str) -> str:
        return f"{self._source}-{part}"

    def _source_reference(self) -> kustomize.KustomizationSpecSourceRef:
        kinds = kustomize.KustomizationSpecSourceRefKind
        kind = kinds.OCI_REPOSITORY if self._settings.repository.startswith("oci://") else kinds.GIT_REPOSITORY
        return kustomize.KustomizationSpecSourceRef(kind=kind, name=self._source)

    def _metadata(self, name: str) -> ApiObjectMetadata:
        return ApiObjectMetadata(name=name, namespace=self._settings.flux_namespace, labels=labels())


def _applied(kind: str) -> kustomize.KustomizationSpecHealthCheckExprs:
    return kustomize.KustomizationSpecHealthCheckExprs(api_version="postgresql.cnpg.io/v1", kind=kind, current=_APPLIED)


def _completed() -> kustomize.KustomizationSpecHealthCheckExprs:
    """A Backup that is complete or has failed; CloudNativePG does not try a failed one again."""
    return kustomize.KustomizationSpecHealthCheckExprs(
        api_version="postgresql.cnpg.io/v1",
        kind="Backup",
        current="has(status.phase) && status.phase == 'completed'",
        failed="has(status.phase) && status.phase == 'failed'",
    )
