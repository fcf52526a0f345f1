"""The instance: the one name from which every default in a shared space follows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from cdk8s_mlflow.settings.section import Section, matching

DEFAULT_INSTANCE = "mlflow"

INSTANCE_LABEL = "app.kubernetes.io/instance"
"""Label of every object, its value the instance."""

Instance = Annotated[
    str,
    matching(r"[a-z0-9][-a-z0-9]{1,45}[a-z0-9]", "mlflow-staging (3 to 47 lowercase letters, digits and '-')"),
]
"""A DNS label so short that every name that follows from it fits.

The tightest bounds: a bucket has at least 3 characters, and Flux writes the name of its Kustomization
(``INSTANCE-application`` or ``INSTANCE-database``) into a label of at most 63. An environment's name has at most 40, so
that ``mlflow-NAME`` fits too.
"""


_ENDINGS = (
    "-(backup|cloudflared|db-migration|db-secret|directory-client|dump|end-access|gc|headers|in-flight|login|login-rate"
    "|maintenance|metrics|migration|oidc-config|prune-sessions|s3-secret|server-secret|tracking-server|tunnel)"
)

ObjectName = Annotated[
    str,
    matching(
        rf"(?!.*{_ENDINGS}$)[a-z][-a-z0-9]{{0,28}}[a-z0-9]",
        "mlflow or team-a (2 to 30, ending as no object of ours does)",
    ),
]
"""Name of the Deployment and the Service, so short that ``NAME-db-migration-HASH`` and ``NAME-prune-sessions`` fit.

No name of one installation plus an ending of ours is that of another, so that two never have an object in common.
"""


@dataclass(frozen=True, slots=True)
class FollowsInstance:
    """Marks a field whose default follows from the instance, and says so in the JSON Schema.

    ``template`` may use ``{instance}``; ``{identifier}``, the same with an underscore for each dash, as PostgreSQL's
    names are written; ``{prefix}``, the instance and a dash, empty for ``mlflow``; and other fields of the section.
    """

    template: str

    def __call__(self, schema: dict[str, Any]) -> None:
        schema["x-follows-instance"] = self.template

    def default(self, instance: str, section: Mapping[str, Any]) -> str:
        """The field's default in the deployment ``instance``."""
        prefix = "" if instance == DEFAULT_INSTANCE else f"{instance}-"
        names = {"instance": instance, "identifier": instance.replace("-", "_"), "prefix": prefix}
        return self.template.format_map({**section, **names})


def follows_instance(template: str, *, in_section: str | None = None) -> Any:
    """A field whose default is ``template`` filled in.

    A section of its own, without Settings around it, has the default ``in_section``, or that of ``mlflow``.
    """
    # The rule is in the field's schema, where the JSON Schema and `derived` both find it.
    rule = FollowsInstance(template)
    return Field(default=in_section or rule.default(DEFAULT_INSTANCE, {}), json_schema_extra=rule)


def derived(section: Section, instance: str) -> dict[str, str]:
    """The values of those fields of ``section`` that nothing sets and that follow from ``instance``."""
    return {
        name: field.json_schema_extra.default(instance, dict(section))
        for name, field in type(section).model_fields.items()
        if isinstance(field.json_schema_extra, FollowsInstance) and name not in section.model_fields_set
    }


def default_of(section: Section, name: str, instance: str) -> Any:
    """The value that the field ``name`` of ``section`` has in the deployment ``instance`` if nothing sets it."""
    field = type(section).model_fields[name]
    rule = field.json_schema_extra
    return rule.default(instance, dict(section)) if isinstance(rule, FollowsInstance) else field.get_default()
