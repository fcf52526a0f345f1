"""What a change does to a running system: what restarts, what migrates, what could lose data.

Sources: Kubernetes documentation, "Deployments" (a changed pod template rolls the pods, a selector is immutable) and
"Jobs"; CloudNativePG documentation, "Database Management" (the name, the cluster and the owner's cluster of a Database
cannot be changed, ``databaseReclaimPolicy: delete`` drops the database with the object).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from cdk8s_mlflow.annotations import PRUNE_GUARDS, VERSION_ANNOTATION
from cdk8s_mlflow.synth.diff.fields import FieldChange
from cdk8s_mlflow.synth.diff.objects import ObjectChange

Impact = Literal["restarts", "migrates", "data", "replaces", "bootstrap", "note"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What follows from a change; ``impact`` is what a reader has to decide on."""

    impact: Impact
    text: str


_WORKLOADS = {"Deployment": "spec.template.", "CronJob": "spec.jobTemplate."}


def object_effects(change: ObjectChange) -> Iterator[Effect]:
    """What follows from a new or a removed object."""
    kind, name = change.identity.kind, change.identity.name
    if change.state == "new" and kind == "Job":
        yield Effect("migrates", "migrates")
    elif change.state == "new" and kind == "Deployment":
        yield Effect("restarts", "starts its pods")
    elif change.state == "new" and name.endswith("-gc"):
        yield Effect("data", "deletes for good what users have deleted")
    elif change.state == "removed" and kind == "Deployment":
        yield Effect("restarts", "stops its pods")
    # Before the Database: the guard decides, whatever the reclaim policy says.
    elif change.state == "removed" and _guarded(change):
        yield Effect("note", "guarded from pruning: it stays until you delete it")
    elif change.state == "removed" and kind == "Database":
        yield _removed_database(change)


def _guarded(change: ObjectChange) -> bool:
    annotations = change.before.get("metadata", {}).get("annotations", {})
    return any(annotations.get(name) == value for name, value in PRUNE_GUARDS.items())


def _removed_database(change: ObjectChange) -> Effect:
    if change.before.get("spec", {}).get("databaseReclaimPolicy") == "delete":
        return Effect("data", "CloudNativePG drops the database with the object")
    return Effect("note", "the database stays without its object")


def field_effects(change: ObjectChange, field: FieldChange) -> Iterator[Effect]:
    """What follows from a changed field of an object that was there before."""
    kind = change.identity.kind
    if field.path == "metadata.namespace":
        yield Effect("replaces", "another object: the old one stays where it is until it is pruned")
    elif kind == "Deployment":
        yield from _deployment_effects(field)
    elif kind == "CronJob" and field.path.startswith(_WORKLOADS[kind]):
        yield Effect("note", "from its next run")
    elif kind == "Database":
        yield from _database_effects(field)
    elif kind == "Service" and field.path in {"spec.clusterIP", "spec.type"}:
        yield Effect("replaces", "may need the Service to be created anew")
    elif field.path.startswith("metadata.annotations") and VERSION_ANNOTATION in (*_keys(field), field.path):
        yield Effect("note", "restarts nothing")
    elif kind == "file":
        yield Effect("note", "paste it anew")


def _keys(field: FieldChange) -> tuple[str, ...]:
    return tuple(key for value in (field.before, field.after) if isinstance(value, dict) for key in value)


def _deployment_effects(field: FieldChange) -> Iterator[Effect]:
    if field.path.startswith("spec.template"):
        yield Effect("restarts", "rolls the pods")
    elif field.path.startswith("spec.selector"):
        yield Effect("replaces", "immutable: delete the Deployment first, which is an outage")
    elif field.path == "spec.replicas" and field.after is None:
        yield Effect("note", "falls to 1 pod for a while, unless you run the command of docs/tasks/scale.md first")
    elif field.path == "spec.replicas":
        yield Effect("note", "scales")
    elif field.path.startswith("spec.strategy"):
        yield Effect("note", "from the next rollout")


def _database_effects(field: FieldChange) -> Iterator[Effect]:
    if field.path in {"spec.name", "spec.cluster.name"}:
        yield Effect("data", "immutable: CloudNativePG refuses it, and another database would start empty")
    elif field.path == "spec.databaseReclaimPolicy" and field.after == "delete":
        yield Effect("data", "from now on the database is dropped with the object")
    elif field.path == "spec.ensure" and field.after == "absent":
        yield Effect("data", "drops the database")
