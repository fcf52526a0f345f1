"""Text that a YAML 1.1 reader, which most tools are, would take for a boolean or a number."""

from collections.abc import Iterator
from pathlib import Path

from cdk8s_mlflow.validation.problem import ManifestProblem, read_documents


def yaml_version_problems(folder: Path) -> Iterator[ManifestProblem]:
    """Files that read differently as YAML 1.1 and as YAML 1.2."""
    for file in sorted(folder.rglob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        # kubectl, Flux and Argo CD read YAML 1.1, while ruamel.yaml and cdk8s write 1.2.
        if read_documents(text, version="1.1") != read_documents(text):
            name = str(file.relative_to(folder))
            message = "reads differently as YAML 1.1; quote yes, on, 0123 and 1e3"
            yield ManifestProblem(file=name, check="YAML versions", message=message)
