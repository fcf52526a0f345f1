"""What an object waits for is applied before it or with it: by Argo CD's waves, and by the two folders of Flux."""

from collections.abc import Iterator, Sequence

from cdk8s_mlflow.validation.problem import Manifest, ManifestProblem, containers

Key = tuple[str, str, str]
"""Kind, namespace and name; a Secret's key stands for the ExternalSecret that makes it."""

_WAVE = "argocd.argoproj.io/sync-wave"


def wave_problems(manifests: Sequence[Manifest]) -> Iterator[ManifestProblem]:
    """Where a sync would stand still, because what an object waits for is applied only after it is healthy."""
    creators = {key: manifest for manifest in manifests for key in _makes(manifest)}
    for manifest in manifests:
        for key in _awaits(manifest, manifests):
            creator = creators.get(key)
            if creator and _wave(creator) > _wave(manifest):
                yield manifest.problem("waves", f"waits for {creator.kind} {creator.name} of a later wave")
            # Flux applies application/ only after database/ is healthy, whatever the waves say.
            if creator and (_folder(manifest), _folder(creator)) == ("database", "application"):
                yield manifest.problem("waves", f"waits for {creator.kind} {creator.name}, which Flux applies after it")


def _wave(manifest: Manifest) -> int:
    return int(manifest.body["metadata"].get("annotations", {}).get(_WAVE, 0))


def _folder(manifest: Manifest) -> str:
    return manifest.file.partition("/")[0]


def _makes(manifest: Manifest) -> Iterator[Key]:
    yield manifest.kind, manifest.namespace, manifest.name
    if manifest.kind == "ExternalSecret":
        yield "Secret", manifest.namespace, manifest.body["spec"]["target"]["name"]


def _awaits(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[Key]:
    if manifest.namespace:
        yield "Namespace", "", manifest.namespace
    if manifest.kind == "DatabaseRole" and "passwordSecret" in manifest.body["spec"]:
        yield "Secret", manifest.namespace, manifest.body["spec"]["passwordSecret"]["name"]
    yield from _pods_await(manifest, manifests)


def _pods_await(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[Key]:
    template = manifest.pod_template
    if template is None:
        return
    spec = template["spec"]
    yield "ServiceAccount", manifest.namespace, spec.get("serviceAccountName", "default")
    for volume in spec.get("volumes", []):
        yield "Secret", manifest.namespace, volume.get("secret", {}).get("secretName", "")
    # The programs wait for these by themselves, so no field of the manifest says it.
    commands = {word for _, container in containers(template) for word in container.get("args", [])}
    waits = (("migrate", "Database"), ("migrate", "Backup"), ("wait-for-schema", "Job"))
    awaited = {kind for word, kind in waits if word in commands}
    yield from ((other.kind, other.namespace, other.name) for other in manifests if other.kind in awaited)
