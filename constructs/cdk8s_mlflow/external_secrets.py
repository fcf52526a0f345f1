"""ExternalSecrets that create the Secrets of the contract from the secret store."""

from constructs import Construct

from cdk8s_mlflow.contract import SecretTemplate
from cdk8s_mlflow.metadata import WAVE_CONFIGURATION, resource_metadata
from cdk8s_mlflow.settings.secrets import SecretsSettings
from cdk8s_mlflow_crds.io import external_secrets as eso

_STORE_KINDS = {
    "ClusterSecretStore": eso.ExternalSecretSpecSecretStoreRefKind.CLUSTER_SECRET_STORE,
    "SecretStore": eso.ExternalSecretSpecSecretStoreRefKind.SECRET_STORE,
}


class SyncedSecret(Construct):
    """One Secret, created and kept current by External Secrets.

    Every defaulted field is written out, or Argo CD shows a difference for ever.
    """

    def __init__(self, scope: Construct, id: str, *, template: SecretTemplate, settings: SecretsSettings) -> None:
        super().__init__(scope, id)
        eso.ExternalSecret(
            self,
            "Resource",
            metadata=resource_metadata(template.name, namespace=template.namespace, wave=WAVE_CONFIGURATION),
            spec=eso.ExternalSecretSpec(
                refresh_interval=_canonical(settings.refresh_interval),
                refresh_policy=eso.ExternalSecretSpecRefreshPolicy.PERIODIC,
                secret_store_ref=eso.ExternalSecretSpecSecretStoreRef(
                    kind=_STORE_KINDS[settings.store_kind], name=settings.store
                ),
                target=_target(template),
                data=[_field(settings, name, f"{settings.vault_prefix}/{template.entry}") for name in template.fields],
            ),
        )


def _canonical(duration: str) -> str:
    """A Go duration as its ``String`` prints it, which is how the API server's default reads: 1h is 1h0m0s."""
    # Only this function needs the parser of durations.
    from cdk8s_mlflow.settings.monitoring import seconds

    minutes, rest = divmod(seconds(duration), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _target(template: SecretTemplate) -> eso.ExternalSecretSpecTarget:
    metadata = eso.ExternalSecretSpecTargetTemplateMetadata(labels=dict(template.labels)) if template.labels else None
    return eso.ExternalSecretSpecTarget(
        name=template.name,
        # The Secret goes with its ExternalSecret, but stays if the
        # store loses the entry: running pods need it at their restart.
        creation_policy=eso.ExternalSecretSpecTargetCreationPolicy.OWNER,
        deletion_policy=eso.ExternalSecretSpecTargetDeletionPolicy.RETAIN,
        template=eso.ExternalSecretSpecTargetTemplate(
            type=template.type,
            engine_version=eso.ExternalSecretSpecTargetTemplateEngineVersion.V2,
            # The Secret has the keys of the contract and no others, even if the store's entry has more.
            merge_policy=eso.ExternalSecretSpecTargetTemplateMergePolicy.REPLACE,
            metadata=metadata,
            data=dict(template.data),
        ),
    )


def _field(settings: SecretsSettings, name: str, key: str) -> eso.ExternalSecretSpecData:
    policies = eso.ExternalSecretSpecDataRemoteRefNullBytePolicy
    return eso.ExternalSecretSpecData(
        secret_key=name,
        remote_ref=eso.ExternalSecretSpecDataRemoteRef(
            key=key,
            property=name,
            conversion_strategy=eso.ExternalSecretSpecDataRemoteRefConversionStrategy.DEFAULT,
            decoding_strategy=eso.ExternalSecretSpecDataRemoteRefDecodingStrategy.NONE,
            metadata_policy=eso.ExternalSecretSpecDataRemoteRefMetadataPolicy.NONE,
            # The field came with External Secrets 2.3; an older CRD does not declare it.
            null_byte_policy=policies.IGNORE if settings.has_null_byte_policy else None,
        ),
    )
