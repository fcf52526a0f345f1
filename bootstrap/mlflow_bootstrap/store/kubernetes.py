"""Kubernetes Secrets in place of a store: the names, keys and contents that External Secrets would create."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import SecretStr

from cdk8s_mlflow.contract import INSTANCE_LABEL, SecretTemplate, placeholder
from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.credentials import Credentials
from mlflow_bootstrap.difference import Secrecy, State
from mlflow_bootstrap.engine import NOTHING
from mlflow_bootstrap.ownership import OWNER, Adoption, Owner, Standing, decode_found, owner_of
from mlflow_bootstrap.retry import retry_on_conflict
from mlflow_bootstrap.store.cluster import MANAGER, Cluster, ExistingSecret
from mlflow_bootstrap.store.entries import NOT_GIVEN, EntryPlan, all_secret_templates

KIND = "kubernetes"
MANAGED_BY = "app.kubernetes.io/managed-by"
EXTERNAL_SECRETS = "reconcile.external-secrets.io/managed"
"""Label that External Secrets gives to what it creates."""
ADOPTED = "cdk8s-mlflow/adopted"
"""Annotation of a Secret that was adopted: its keys and labels at that time."""


class ClusterValues:
    """The values of entries, read back from the keys that hold a field and nothing else."""

    def __init__(
        self, cluster: Cluster, all_templates: Sequence[SecretTemplate], instance: str, adoption: Adoption = NOTHING
    ) -> None:
        self._cluster, self._templates = cluster, all_templates
        self._instance, self._adoption = instance, adoption

    def value(self, entry: str, field: str) -> SecretStr | None:
        """A value, or None."""
        found = self.read(entry).get(field)
        return SecretStr(found) if found else None

    def refused(self, entry: str) -> None:
        """A Secret of others counts as missing."""

    def read(self, entry: str) -> dict[str, str]:
        """All values of an entry, from Secrets of ours; of several the contract's first that has one counts."""
        values: dict[str, str] = {}
        for template in self._templates:
            found = self._cluster.read(template.namespace, template.name) if template.entry == entry else None
            if found is not None and self._is_ours(template, found):
                for field, value in _plain_values(template, found).items():
                    # The database's password is in two Secrets; the
                    # application's is the one that pods have logged in with.
                    values.setdefault(field, value)
        return values

    def _is_ours(self, template: SecretTemplate, found: ExistingSecret) -> bool:
        owner = secret_owner(template, found, self._instance)
        return owner.standing is not Standing.FOREIGN or self._adoption.covers(secret_address(template), owner)


def secret_address(template: SecretTemplate) -> str:
    """``secrets/kubernetes/NAMESPACE/NAME``."""
    return f"secrets/{KIND}/{template.namespace}/{template.name}"


def secret_owner(template: SecretTemplate, found: ExistingSecret, instance: str) -> Owner:
    """Whose a Secret is, by the labels that Kubernetes recommends for that."""
    manager = found.labels.get(MANAGED_BY)
    values = _plain_values(template, found)
    # Earlier releases set no mark; an exact copy of what they wrote is the only proof.
    exact = set(values) == set(template.fields) and found.data == template.render(values)
    return owner_of(
        found.labels.get(INSTANCE_LABEL, "without a name") if manager == MANAGER else None,
        instance,
        setting="namespace",
        earlier=manager is None and not found.labels.get(EXTERNAL_SECRETS) and exact and found.type == template.type,
        others="External Secrets" if found.labels.get(EXTERNAL_SECRETS) else manager or "",
        adopted=ADOPTED in found.annotations,
    )


def _plain_values(template: SecretTemplate, found: ExistingSecret) -> dict[str, str]:
    return {field: found.data[key] for field, key in _plain_keys(template).items() if found.data.get(key)}


def _plain_keys(template: SecretTemplate) -> dict[str, str]:
    # A field can be read back only from a key that holds it and nothing else.
    texts = {text: key for key, text in template.data.items()}
    return {field: texts[placeholder(field)] for field in template.fields if placeholder(field) in texts}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterSecret:
    """One Secret whose values are created once; keys, labels and annotations of others stay as found."""

    cluster: Cluster
    values: ClusterValues
    template: SecretTemplate
    plan: EntryPlan
    credentials: Credentials
    instance: str
    depends_on: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``secrets/kubernetes/NAMESPACE/NAME``."""
        return secret_address(self.template)

    @property
    def desired(self) -> State:
        """Type, labels and content; a content that needs a value that does not exist yet has no value either."""
        known = {name: value for name, value in (self.values.read(self.template.entry) | self._fixed).items() if value}
        missing = [placeholder(name) for name in self.template.fields if name not in known]
        texts = self.template.render(dict.fromkeys(self.template.fields, "") | known)
        data = {
            key: Secrecy.RIGHT if any(name in template for name in missing) else SecretStr(texts[key])
            for key, template in self.template.data.items()
        }
        return {"type": self.template.type, "labels": self._labels, "data": data}

    @property
    def _labels(self) -> dict[str, str]:
        return {**self.template.labels, MANAGED_BY: MANAGER, INSTANCE_LABEL: self.instance}

    @property
    def _fixed(self) -> dict[str, str]:
        return {field.name: field.fixed for field in self.plan.fields if field.fixed is not None}

    def read(self) -> State | None:
        """The same of the cluster's Secret, and whose it is."""
        found = self.cluster.read(self.template.namespace, self.template.name)
        if found is None:
            return None
        data = {key: SecretStr(found.data[key]) for key in self.template.data if key in found.data}
        labels = {key: value for key, value in found.labels.items() if key in self._labels}
        owner = secret_owner(self.template, found, self.instance)
        return {"type": found.type, "labels": labels, "data": data, OWNER: owner}

    def check(self, current: State | None) -> None:
        """Raise what a write would raise for a field whose value no one has."""
        known = self.values.read(self.template.entry)
        for field in self.plan.fields:
            if field.name in self.template.fields and not known.get(field.name):
                field.check(self.credentials)

    def create(self) -> None:
        """Create it."""
        retry_on_conflict(self._write, frozenset(), {})

    def update(self, current: State) -> None:
        """Fill or repair what is ours."""
        retry_on_conflict(self._write, frozenset(), {})

    def adopt(self, current: State) -> None:
        """Label it as ours, and note which keys it had."""
        retry_on_conflict(self._label, current[OWNER])

    def _label(self, owner: Owner) -> None:
        found = self.cluster.read(self.template.namespace, self.template.name)
        if found is None:
            return
        former = {"keys": sorted(found.data), "labels": {name: found.labels.get(name) for name in self._labels}}
        kept = {} if owner.standing is Standing.EARLIER else {ADOPTED: json.dumps(former)}
        self.cluster.write(self._as(found), {}, labels=self._labels, annotations=kept, expected=found)

    def _as(self, found: ExistingSecret) -> SecretTemplate:
        # A Secret's type cannot change, and every write names it.
        return replace(self.template, type=found.type)

    def release(self, current: State) -> None:
        """Put back the labels that it had, and remove the keys that it had not; what we wrote into the others stays."""
        found = self.cluster.read(self.template.namespace, self.template.name)
        if found is None:
            return
        former = decode_found(found.annotations.get(ADOPTED)) or {}
        ours = {key: None for key in self.template.data if key not in former.get("keys", self.template.data)}
        labels = {**dict.fromkeys(self._labels), **former.get("labels", {})}
        self.cluster.write(self._as(found), ours, labels=labels, annotations={ADOPTED: None}, expected=found)

    def delete(self) -> None:
        """Delete it."""
        self.cluster.delete(self.template.namespace, self.template.name)

    def renew(self, given: Mapping[str, str]) -> tuple[str, ...]:
        """Renew the fields that may be; gives their names. Those that are ``given`` take that value.

        Raises:
            UsageError: none may.
        """
        names = self.plan.require_renewable(self.address)
        retry_on_conflict(self._write, names, given)
        return tuple(sorted(names))

    def take(self, given: Mapping[str, str]) -> None:
        """Write what is ``given``, and all other values as they are."""
        retry_on_conflict(self._write, frozenset(), given)

    def _write(self, renewed: frozenset[str], given: Mapping[str, str]) -> None:
        expected = self.cluster.read(self.template.namespace, self.template.name)
        # Read again on every attempt: another run may have created the value meanwhile.
        known = self.values.read(self.template.entry)
        wanted = [field for field in self.plan.fields if field.name in self.template.fields]
        values = {field.name: self._value(field.name, known, renewed) for field in wanted} | dict(given)
        self.cluster.write(self.template, self.template.render(values), labels=self._labels, expected=expected)

    def _value(self, name: str, known: Mapping[str, str], renewed: frozenset[str]) -> str:
        field = next(field for field in self.plan.fields if field.name == name)
        if name in renewed:
            return field.renew(known.get(name, ""))
        if field.fixed is None and name in known:
            return known[name]
        return field.obtain(self.credentials).get_secret_value()


class KubernetesBackend:
    """Every Secret of the contract, written where the pods mount it from."""

    kind = KIND

    def __init__(
        self, settings: Settings, plans: Sequence[EntryPlan], credentials: Credentials, adoption: Adoption = NOTHING
    ) -> None:
        cluster, all_templates = Cluster(settings), all_secret_templates(settings)
        self.values = ClusterValues(cluster, all_templates, settings.instance, adoption)
        by_name = {plan.name: plan for plan in plans}
        self._secrets = [
            ClusterSecret(
                cluster=cluster,
                values=self.values,
                template=template,
                plan=by_name[template.entry],
                credentials=credentials,
                instance=settings.instance,
            )
            for template in all_templates
        ]

    def resources(self, entries: Collection[str]) -> Sequence[ClusterSecret]:
        """The Secrets of the named entries."""
        return [secret for secret in self._secrets if secret.template.entry in entries]

    def address(self, entry: str) -> str:
        """Address of the Secret that an entry's values are read from."""
        return self.resources([entry])[0].address

    def rotate(self, entry: str, given: Mapping[str, str] = NOT_GIVEN) -> tuple[str, ...]:
        """Renew what may be, in the first Secret of the entry, then in the others."""
        first, *others = self.resources([entry])
        fields = first.renew(given)
        # These take the new value from the first, so that all of them agree.
        for secret in others:
            secret.take(given)
        return fields
