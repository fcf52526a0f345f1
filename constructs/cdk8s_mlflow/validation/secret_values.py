"""No secret value in what is committed: no Secret with data, nothing that looks like a key."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cdk8s_mlflow.settings.find_secrets import looks_like_a_secret
from cdk8s_mlflow.validation.problem import Manifest, ManifestProblem, containers

_SECRET_NAME = re.compile(r".*(PASSWORD|SECRET|TOKEN|ACCESS_KEY|PASSPHRASE)(_KEY|_ID)?")
_PLACEHOLDER = re.compile(r"\{\{ \.[a-z_]+ \}\}")
_SECRET_LINE = re.compile(r"(?im)^(password|.*secret.*|.*token.*)\s*[=:]\s*(?P<value>\S.*)$")


def secret_value_problems(manifests: Iterable[Manifest]) -> Iterator[ManifestProblem]:
    """Where a secret stands in plain sight."""
    for manifest in manifests:
        for message in (*_plain_secret(manifest), *_environment(manifest), *_template(manifest), *_texts(manifest)):
            yield manifest.problem("no secret values", message)


def _plain_secret(manifest: Manifest) -> Iterator[str]:
    if manifest.kind == "Secret" and (manifest.body.get("data") or manifest.body.get("stringData")):
        yield "a Secret with data is committed; let the secret store create it"


def _environment(manifest: Manifest) -> Iterator[str]:
    template = manifest.pod_template
    for name, container in containers(template) if template else ():
        for source in container.get("envFrom", []):
            if "secretRef" in source:
                yield f"Secret {source['secretRef']['name']} becomes variables; mount it as files (container {name})"
        for variable in container.get("env", []):
            if variable.get("valueFrom", {}).get("secretKeyRef"):
                yield f"{variable['name']} comes from a Secret; mount it as a file (container {name})"
            # true and false are switches whose name happens to end like a secret's.
            if _SECRET_NAME.fullmatch(variable["name"]) and variable.get("value") not in (None, "", "true", "false"):
                yield f"{variable['name']} has a value in plain sight (container {name})"


def _template(manifest: Manifest) -> Iterator[str]:
    if manifest.kind != "ExternalSecret":
        return
    data = manifest.body["spec"].get("target", {}).get("template", {}).get("data", {})
    for key, text in data.items():
        rest = [match["value"] for match in _SECRET_LINE.finditer(text) if not _PLACEHOLDER.search(match["value"])]
        if rest or (key.lower().endswith(("password", "secret", "token")) and not _PLACEHOLDER.search(text)):
            yield f"the template of {key} holds a value instead of a placeholder"


def _texts(manifest: Manifest) -> Iterator[str]:
    for where, text in _strings(manifest.body, ""):
        if looks_like_a_secret(text):
            yield f"{where} looks like a key or a login"


def _strings(value: Any, where: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield where, value
        case Mapping():
            for key, item in value.items():
                yield from _strings(item, f"{where}.{key}".removeprefix("."))
        case list():
            for index, item in enumerate(value):
                yield from _strings(item, f"{where}[{index}]")
