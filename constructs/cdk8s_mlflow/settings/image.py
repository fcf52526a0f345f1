"""Which container image runs."""

from typing import Annotated, Literal

from cdk8s_mlflow.settings.section import DnsName, Section, matching

# Source: the grammar of references of distribution/reference.
_LABEL = r"[a-z0-9]+(-+[a-z0-9]+)*"
_PORT = r"([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
_COMPONENT = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"

Registry = Annotated[
    str,
    matching(
        rf"{_LABEL}(\.{_LABEL})*(:{_PORT})?(/{_COMPONENT})*", "localhost:30500, without a scheme and a closing slash"
    ),
]
Repository = Annotated[str, matching(r"[a-z0-9]+([._/-][a-z0-9]+)*", "mlflow or team/mlflow")]
Tag = Annotated[str, matching(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", "3.6.0-oidc")]
Digest = Annotated[str, matching(r"sha256:[0-9a-f]{64}", "sha256: and 64 hexadecimal digits")]


class ImageSettings(Section):
    """The image that the Deployment, the migration Job and the CronJobs run."""

    registry: Registry = "localhost:30500"
    """Registry that the nodes pull from, with its port and without a scheme."""

    repository: Repository = "mlflow"
    """Repository in the registry."""

    tag: Tag | None = None
    """Tag; by default the release followed by -oidc. A rebuild needs a new tag or a digest to be rolled out."""

    digest: Digest | None = None
    """Digest that pins the image's content; wins over the tag."""

    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When a node asks the registry."""

    pull_secrets: tuple[DnsName, ...] = ()
    """Secrets of the namespace that hold the registry's login."""

    def reference(self, release: str) -> str:
        """The image as a pod names it: ``registry/repository:tag`` or ``registry/repository@digest``."""
        version = f"@{self.digest}" if self.digest else f":{self.tag or f'{release}-oidc'}"
        return f"{self.registry}/{self.repository}{version}"
