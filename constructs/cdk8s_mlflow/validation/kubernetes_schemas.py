"""Core objects against the schemas of the Kubernetes versions that we promise."""

import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from cdk8s_mlflow.validation.custom_resources import is_custom_resource
from cdk8s_mlflow.validation.problem import Manifest, ManifestProblem

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from referencing import Resource

OLDEST_TO_NEWEST = ("1.27", "1.30", "1.33")
"""Versions checked beside the newest that the library kubernetes-validate has."""


def kubernetes_problems(manifests: Iterable[Manifest]) -> Iterator[ManifestProblem]:
    """What a version's schema refuses, unknown fields included."""
    # Only --validate needs kubernetes_validate, which loads schemas for a second.
    import kubernetes_validate

    core = [manifest for manifest in manifests if not is_custom_resource(manifest)]
    for version in (*OLDEST_TO_NEWEST, kubernetes_validate.latest_version()):
        for manifest in core:
            reason = _refusal(manifest.body, version)
            if reason is not None:
                yield manifest.problem(f"Kubernetes {version}", reason)


_REFUSALS: dict[tuple[str, str], str | None] = {}


def _refusal(body: dict[str, Any], version: str) -> str | None:
    """Why the schema of ``version`` refuses an object; None if it accepts it."""
    # Many environments have equal objects.
    key = (repr(body), version)
    if key not in _REFUSALS:
        _REFUSALS[key] = _refused_now(body, version)
    return _REFUSALS[key]


def _refused_now(body: dict[str, Any], version: str) -> str | None:
    api_version, kind = str(body["apiVersion"]), str(body["kind"])
    validator = _validator(version, api_version, kind)
    if validator is None:
        return f"this version has no such object ({api_version} {kind})"
    return next((str(error.message) for error in validator.iter_errors(body)), None)


# kubernetes_validate.validate reads megabytes of definitions again for each object.
@cache
def _validator(version: str, api_version: str, kind: str) -> "Draft202012Validator | None":
    """What refuses an object of a kind; None if ``version`` has no such kind."""
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    group, _, name = api_version.rpartition("/")
    # As the files are named: apps-v1, networking-v1, v1.
    suffix = f"{group.partition('.')[0]}-{name}" if group else name
    file = _schema_folder(version) / f"{kind.lower()}-{suffix}.json"
    if not file.is_file():
        return None
    schema = json.loads(file.read_bytes())
    registry: Registry[Any] = Resource.from_contents(schema) @ Registry()
    return Draft202012Validator(schema, registry=_definitions(version) @ registry)


@cache
def _definitions(version: str) -> "Resource[Any]":
    from referencing import Resource

    return Resource.from_contents(json.loads((_schema_folder(version) / "_definitions.json").read_bytes()))


def _schema_folder(version: str) -> Traversable:
    """The strict schemas of ``version``; a version of two numbers is that of its first patch release."""
    number = version if version.count(".") == 2 else f"{version}.0"
    return files("kubernetes_validate") / "kubernetes-json-schema" / f"v{number}-local-strict"
