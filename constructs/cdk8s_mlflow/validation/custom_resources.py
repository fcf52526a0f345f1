"""Custom resources against the schemas in cdk8s_mlflow_crds/crds/, unknown fields refused."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cdk8s_mlflow.validation.problem import Manifest, ManifestProblem


def _schema_folder() -> Path:
    # Asked for its folder, so that the schemas are found in a wheel, too.
    import cdk8s_mlflow_crds

    (folder,) = cdk8s_mlflow_crds.__path__
    return Path(folder) / "crds"


@cache
def custom_resource_schemas() -> Mapping[tuple[str, str], dict[str, Any]]:
    """JSON Schemas by (apiVersion, kind), made strict."""
    # The reader in C, where there is one: that of ruamel.yaml takes a quarter of a second for these files.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found = {}
    for file in sorted(_schema_folder().glob("*.yaml")):
        for document in yaml.load_all(file.read_bytes(), loader):
            spec = document["spec"]
            for version in spec["versions"]:
                key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                found[key] = strict(version["schema"]["openAPIV3Schema"])
    return found


def strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A structural schema as JSON Schema that refuses fields it does not know.

    Source: Kubernetes documentation, "Specifying a structural schema" and "Field pruning".
    """
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    result = {key: value for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    properties = {name: strict(part) for name, part in schema.get("properties", {}).items()}
    if properties:
        result["properties"] = properties
    if properties and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), Mapping):
        result["additionalProperties"] = strict(schema["additionalProperties"])
    if "items" in schema:
        result["items"] = strict(schema["items"])
    return {"anyOf": [result, {"type": "null"}]} if schema.get("nullable") else result


def is_custom_resource(manifest: Manifest) -> bool:
    """Whether a CustomResourceDefinition describes it; some have a group of Kubernetes' own domain."""
    known = (str(manifest.body["apiVersion"]), manifest.kind) in custom_resource_schemas()
    return known or ("." in manifest.group and not manifest.group.endswith(".k8s.io"))


def custom_resource_problems(manifests: Iterable[Manifest]) -> Iterator[ManifestProblem]:
    """What the schema of a custom resource refuses."""
    # Only --validate needs jsonschema, which loads schemas for a second.
    import jsonschema

    for manifest in manifests:
        if not is_custom_resource(manifest):
            continue
        schema = custom_resource_schemas().get((manifest.body["apiVersion"], manifest.kind))
        if schema is None:
            yield manifest.problem("custom resource", f"no schema for {manifest.body['apiVersion']} {manifest.kind}")
            continue
        for error in jsonschema.Draft202012Validator(schema).iter_errors(manifest.body):
            where = ".".join(str(part) for part in error.absolute_path)
            yield manifest.problem("custom resource", f"{where}: {error.message}")
