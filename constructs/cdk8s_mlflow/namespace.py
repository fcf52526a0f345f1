"""The namespace and the identity that the pods run in."""

from cdk8s_plus_27 import k8s
from constructs import Construct

from cdk8s_mlflow import __version__
from cdk8s_mlflow.annotations import PRUNE_GUARDS, RESTRICTED, VERSION_ANNOTATION
from cdk8s_mlflow.metadata import WAVE_CONFIGURATION, WAVE_NAMESPACE, labels, metadata
from cdk8s_mlflow.settings import Settings


class MlflowNamespace(Construct):
    """A namespace that admits only restricted pods and that no sync prunes with its content."""

    def __init__(self, scope: Construct, id: str, *, name: str) -> None:
        super().__init__(scope, id)
        # The chart's labels are added to these; `metadata` has no room for those of pod security.
        meta = metadata(name, wave=WAVE_NAMESPACE, more=PRUNE_GUARDS)
        k8s.KubeNamespace(
            self,
            "Resource",
            metadata=k8s.ObjectMeta(name=name, labels={**labels(), **RESTRICTED}, annotations=meta.annotations),
        )


class MlflowServiceAccount(Construct):
    """The identity of every pod of ours; its token is not mounted, since nothing of ours talks to the API server."""

    def __init__(self, scope: Construct, id: str, *, settings: Settings) -> None:
        super().__init__(scope, id)
        # Ours is last, since diff and upgrade read it back.
        more = {**settings.server.service_account_annotations, VERSION_ANNOTATION: __version__}
        k8s.KubeServiceAccount(
            self,
            "Resource",
            metadata=metadata(settings.name, namespace=settings.namespace, wave=WAVE_CONFIGURATION, more=more),
            automount_service_account_token=False,
        )
