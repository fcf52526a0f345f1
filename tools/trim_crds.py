"""Create the schemas of imports/ from the products' full CustomResourceDefinitions: kinds and fields in use, no texts.

Usage: python tools/trim_crds.py FOLDER, where FOLDER holds one YAML file an API group with the full definitions.
`cdk8s import` then makes imports/ of the result (`make imports`). A smaller schema imports faster: the full one of
Argo CD's Application is 480 KB of Python.
"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

OUTPUT = Path(__file__).parents[1] / "imports" / "cdk8s_mlflow_crds" / "crds"

EMITTED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "postgresql.cnpg.io": {
        "Database": (
            *("spec.name", "spec.owner", "spec.ensure", "spec.cluster", "spec.databaseReclaimPolicy"),
            *("spec.encoding", "spec.localeProvider", "spec.localeCollate", "spec.localeCType", "spec.template"),
        ),
        "DatabaseRole": (
            *("spec.name", "spec.ensure", "spec.cluster", "spec.comment", "spec.databaseRoleReclaimPolicy"),
            *("spec.login", "spec.superuser", "spec.createdb", "spec.createrole", "spec.replication"),
            *("spec.bypassrls", "spec.inherit", "spec.connectionLimit", "spec.passwordSecret"),
            *("spec.disablePassword", "spec.clientCertificate"),
        ),
        "ScheduledBackup": (
            *("spec.schedule", "spec.suspend", "spec.immediate", "spec.cluster"),
            *("spec.method", "spec.pluginConfiguration"),
        ),
        "Backup": ("spec.cluster", "spec.method", "spec.pluginConfiguration"),
    },
    "barmancloud.cnpg.io": {
        "ObjectStore": (
            *("spec.configuration.destinationPath", "spec.configuration.endpointURL"),
            *("spec.configuration.s3Credentials.accessKeyId", "spec.configuration.s3Credentials.secretAccessKey"),
            *("spec.configuration.s3Credentials.region", "spec.configuration.s3Credentials.inheritFromIAMRole"),
            *("spec.configuration.wal.compression", "spec.configuration.data.compression", "spec.retentionPolicy"),
        ),
    },
    "external-secrets.io": {
        "ExternalSecret": (
            *("spec.refreshInterval", "spec.refreshPolicy", "spec.secretStoreRef"),
            *("spec.target.name", "spec.target.creationPolicy", "spec.target.deletionPolicy"),
            *("spec.target.template.type", "spec.target.template.engineVersion", "spec.target.template.mergePolicy"),
            *("spec.target.template.data", "spec.target.template.metadata.labels"),
            *("spec.data[].secretKey", "spec.data[].remoteRef"),
        ),
    },
    "gateway.networking.k8s.io": {
        "HTTPRoute": (
            *("spec.parentRefs[].group", "spec.parentRefs[].kind", "spec.parentRefs[].name", "spec.parentRefs[].port"),
            *("spec.parentRefs[].namespace", "spec.parentRefs[].sectionName", "spec.hostnames"),
            *("spec.rules[].matches[].path", "spec.rules[].backendRefs[].weight"),
            *("spec.rules[].backendRefs[].group", "spec.rules[].backendRefs[].kind"),
            *("spec.rules[].filters[].type", "spec.rules[].filters[].extensionRef"),
            *("spec.rules[].filters[].requestHeaderModifier", "spec.rules[].filters[].responseHeaderModifier"),
            *("spec.rules[].backendRefs[].name", "spec.rules[].backendRefs[].port", "spec.rules[].timeouts"),
        ),
    },
    "traefik.io": {
        "Middleware": (
            *("spec.headers.stsSeconds", "spec.headers.stsIncludeSubdomains", "spec.headers.forceSTSHeader"),
            "spec.headers.contentTypeNosniff",
            *("spec.headers.customFrameOptionsValue", "spec.headers.referrerPolicy"),
            *("spec.headers.customRequestHeaders", "spec.ipAllowList.sourceRange"),
            *("spec.inFlightReq.amount", "spec.inFlightReq.sourceCriterion.ipStrategy.depth"),
            *("spec.rateLimit.average", "spec.rateLimit.burst", "spec.rateLimit.sourceCriterion.ipStrategy.depth"),
        ),
    },
    "monitoring.coreos.com": {
        "ServiceMonitor": (
            *("spec.selector.matchLabels", "spec.endpoints[].port", "spec.endpoints[].path"),
            *("spec.endpoints[].interval", "spec.endpoints[].scrapeTimeout", "spec.endpoints[].honorLabels"),
        ),
        "PrometheusRule": (
            *("spec.groups[].name", "spec.groups[].rules[].alert", "spec.groups[].rules[].record"),
            *("spec.groups[].rules[].expr", "spec.groups[].rules[].for", "spec.groups[].rules[].labels"),
            "spec.groups[].rules[].annotations",
        ),
    },
    "source.toolkit.fluxcd.io": {
        "GitRepository": ("spec.url", "spec.interval", "spec.ref.branch", "spec.secretRef", "spec.ignore"),
        "OCIRepository": ("spec.url", "spec.interval", "spec.ref.tag", "spec.secretRef"),
    },
    "kustomize.toolkit.fluxcd.io": {
        "Kustomization": (
            *("spec.path", "spec.sourceRef", "spec.interval", "spec.retryInterval", "spec.timeout", "spec.prune"),
            *("spec.wait", "spec.force", "spec.dependsOn", "spec.healthCheckExprs", "spec.serviceAccountName"),
            "spec.deletionPolicy",
        ),
    },
    "argoproj.io": {
        "Application": (
            *("spec.project", "spec.destination.server", "spec.destination.namespace"),
            *("spec.sources[].repoURL", "spec.sources[].targetRevision", "spec.sources[].path"),
            *("spec.syncPolicy.automated", "spec.syncPolicy.syncOptions", "spec.syncPolicy.retry"),
        ),
    },
}
"""API group, kind, and the fields that we emit; a field brings all that is below it."""

_KEPT = frozenset(
    [
        "type",
        "properties",
        "items",
        "required",
        "enum",
        "default",
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "minItems",
        "maxItems",
        "minProperties",
        "maxProperties",
        "additionalProperties",
        "nullable",
        "x-kubernetes-int-or-string",
        "x-kubernetes-preserve-unknown-fields",
        "x-kubernetes-validations",
    ]
)


def trim(definition: Mapping[str, Any], fields: Iterable[str]) -> dict[str, Any]:
    """``definition`` reduced to its storage version, to ``fields`` and to what describes their shape."""
    spec = definition["spec"]
    # One: of several stored versions the API server would take none.
    (version,) = (version for version in spec["versions"] if version["storage"])
    root = version["schema"]["openAPIV3Schema"]
    # A list is a step of the path, between a field and what is in its elements.
    paths = [field.replace("[]", ".[]").split(".") for field in fields]
    selected = _select(root, paths)
    selected["properties"] = {**_head(root), **selected["properties"]}
    names = {key: spec["names"][key] for key in ("kind", "listKind", "plural", "singular")}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": definition["metadata"]["name"]},
        "spec": {
            "group": spec["group"],
            "names": names,
            "scope": spec["scope"],
            "versions": [
                {"name": version["name"], "served": True, "storage": True, "schema": {"openAPIV3Schema": selected}}
            ],
        },
    }


def _head(root: Mapping[str, Any]) -> dict[str, Any]:
    return {name: {"type": root["properties"][name]["type"]} for name in ("apiVersion", "kind", "metadata")}


def _select(schema: Mapping[str, Any], paths: list[list[str]]) -> dict[str, Any]:
    # A path that ends here asks for the whole of it.
    if [] in paths:
        return _shape(schema)
    if schema.get("type") == "array":
        return {**_bare(schema), "items": _select(schema["items"], [path[1:] for path in paths])}
    names = list(dict.fromkeys(path[0] for path in paths))
    unknown = [name for name in names if name not in schema["properties"]]
    if unknown:
        raise SystemExit(f"error: the full schema has no field {unknown[0]}; repair EMITTED in {Path(__file__).name}")
    kept = {name: _select(schema["properties"][name], [p[1:] for p in paths if p[0] == name]) for name in names}
    required = [name for name in schema.get("required", []) if name in kept]
    return {**_bare(schema), **({"required": required} if required else {}), "properties": kept}


def _bare(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The shape of ``schema`` without its parts and its default, which could name parts that are gone."""
    kept = _shape({key: value for key, value in schema.items() if key not in ("properties", "items", "required")})
    rules = [rule for rule in kept.pop("x-kubernetes-validations", []) if _stands(rule["rule"])]
    # The API server refuses a default that its own schema does not allow.
    kept.pop("default", None)
    return {**kept, **({"x-kubernetes-validations": rules} if rules else {})}


def _stands(rule: str) -> bool:
    """Whether a CEL rule of an object refers only to the whole value, not to fields that may be trimmed."""
    return "self." not in rule and "oldSelf." not in rule


def _shape(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_shape(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _part(key, value) for key, value in schema.items() if key in _KEPT}


def _part(key: str, value: Any) -> Any:
    match key:
        case "properties":
            return {name: _shape(schema) for name, schema in value.items()}
        case "x-kubernetes-validations":
            return [{"rule": rule["rule"]} for rule in value]
        case "items" | "additionalProperties":
            return _shape(value)
        case _:
            return value


def definitions(folder: Path, group: str) -> Iterator[dict[str, Any]]:
    """The full definitions of an API group in ``folder``."""
    documents = yaml.safe_load_all((folder / f"{group}.yaml").read_text(encoding="utf-8"))
    return (document for document in documents if document)


def trimmed(folder: Path) -> dict[str, str]:
    """The text of each file of crds/, by file name."""
    texts = {}
    for group, kinds in EMITTED.items():
        full = {document["spec"]["names"]["kind"]: document for document in definitions(folder, group)}
        documents = [trim(full[kind], fields) for kind, fields in kinds.items()]
        texts[f"{group}.yaml"] = yaml.safe_dump_all(documents, sort_keys=False, width=120)
    return texts


def main() -> None:
    """Write imports/cdk8s_mlflow_crds/crds/."""
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        raise SystemExit(f"usage: {Path(__file__).name} FOLDER-OF-FULL-DEFINITIONS")
    for name, text in trimmed(Path(sys.argv[1])).items():
        (OUTPUT / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
