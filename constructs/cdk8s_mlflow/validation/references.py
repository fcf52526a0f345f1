"""Names that must lead somewhere, and selectors that must not lead too far."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from cdk8s_mlflow.validation.problem import Manifest, ManifestProblem

_MIDDLEWARES = "traefik.ingress.kubernetes.io/router.middlewares"


def reference_problems(manifests: Sequence[Manifest]) -> Iterator[ManifestProblem]:
    """Backends, ports and Secrets that are not there; selectors that take in what they should not."""
    yield from _ingress_backends(manifests)
    yield from _scraped_ports(manifests)
    yield from _mounted_secrets(manifests)
    yield from _selectors(manifests)
    yield from _own_pods(manifests)
    yield from _middlewares(manifests)
    yield from _twice(manifests)


def _services(manifests: Iterable[Manifest]) -> dict[tuple[str, str], set[str]]:
    return {
        (m.namespace, m.name): {port["name"] for port in m.body["spec"]["ports"]}
        for m in manifests
        if m.kind == "Service"
    }


def _ingress_backends(manifests: Sequence[Manifest]) -> Iterator[ManifestProblem]:
    services = _services(manifests)
    for manifest in (m for m in manifests if m.kind == "HTTPRoute"):
        yield from _route_backends(manifest, manifests)
    for manifest in (m for m in manifests if m.kind == "Ingress"):
        for rule in manifest.body["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                if service["port"].get("name") not in services.get((manifest.namespace, service["name"]), set()):
                    yield manifest.problem("references", f"no Service {service['name']} with that port")


def _route_backends(route: Manifest, manifests: Sequence[Manifest]) -> Iterator[ManifestProblem]:
    """A rule without backends answers 500."""
    ports = {
        (m.name, port["port"])
        for m in manifests
        if m.kind == "Service" and m.namespace == route.namespace
        for port in m.body["spec"]["ports"]
    }
    for rule in route.body["spec"]["rules"]:
        backends = {(backend["name"], backend["port"]) for backend in rule.get("backendRefs", [])}
        if not backends:
            yield route.problem("references", "has a rule without backends")
        for name, port in sorted(backends - ports):
            yield route.problem("references", f"no Service {name} with port {port}")


def _scraped_ports(manifests: Sequence[Manifest]) -> Iterator[ManifestProblem]:
    for manifest in (m for m in manifests if m.kind == "ServiceMonitor"):
        wanted = manifest.body["spec"]["selector"]["matchLabels"].items()
        services = [m for m in manifests if m.kind == "Service" and wanted <= m.body["metadata"]["labels"].items()]
        ports = {port["name"] for service in services for port in service.body["spec"]["ports"]}
        for endpoint in manifest.body["spec"]["endpoints"]:
            if endpoint["port"] not in ports:
                yield manifest.problem("references", f"no selected Service has the port {endpoint['port']}")


def _mounted_secrets(manifests: Sequence[Manifest]) -> Iterator[ManifestProblem]:
    """Where External Secrets is used at all; otherwise the bootstrap creates the Secrets."""
    made = {(m.namespace, m.body["spec"]["target"]["name"]) for m in manifests if m.kind == "ExternalSecret"}
    for manifest in manifests:
        template = manifest.pod_template if made else None
        for volume in template["spec"].get("volumes", []) if template else ():
            name = volume.get("secret", {}).get("secretName")
            if (
                name
                # These come from the settings: Secrets that other teams create.
                and not volume["name"].startswith(("secret-ca", "extra-"))
                and (manifest.namespace, name) not in made
            ):
                yield manifest.problem("references", f"nothing creates the Secret {name}")


def _selectors(manifests: Sequence[Manifest]) -> Iterator[ManifestProblem]:
    jobs = [m for m in manifests if m.kind in ("Job", "CronJob")]
    for manifest in manifests:
        # An empty selector is every pod for a policy, and no pod at all for a Service.
        if manifest.kind == "NetworkPolicy" and not manifest.body["spec"]["podSelector"].get("matchLabels"):
            yield manifest.problem("references", "selects every pod of the namespace, a certificate solver's too")
        if manifest.kind == "Service":
            wanted = manifest.body["spec"]["selector"].items()
            caught = [job.name for job in jobs if wanted <= (job.pod_template or {})["metadata"]["labels"].items()]
            if caught:
                yield manifest.problem("references", f"its selector matches the pods of {', '.join(caught)}")


def _own_pods(manifests: Sequence[Manifest]) -> Iterator[ManifestProblem]:
    """A selector that matches no pod has no effect, and Kubernetes does not say so."""
    pods = [
        (m.namespace, m.name, template["metadata"]["labels"])
        for m in manifests
        if (template := m.pod_template) is not None
    ]
    for manifest in manifests:
        if manifest.kind not in ("Deployment", "PodDisruptionBudget", "NetworkPolicy", "Service"):
            continue
        wanted = _wanted_labels(manifest).items()
        found = {
            name for namespace, name, labels in pods if namespace == manifest.namespace and wanted <= labels.items()
        }
        if not found or (manifest.kind == "Deployment" and manifest.name not in found):
            yield manifest.problem("references", "its selector matches no pod that it is meant for")


def _wanted_labels(manifest: Manifest) -> dict[str, str]:
    spec = manifest.body["spec"]
    if manifest.kind == "Service":
        return dict(spec["selector"])
    return dict(spec["podSelector" if manifest.kind == "NetworkPolicy" else "selector"].get("matchLabels", {}))


def _middlewares(manifests: Sequence[Manifest]) -> Iterator[ManifestProblem]:
    """Traefik drops the whole route of an Ingress or HTTPRoute that names a Middleware which is not there."""
    own = {(m.namespace, m.name) for m in manifests if m.kind == "Middleware"}
    for manifest in (m for m in manifests if m.kind == "HTTPRoute"):
        filters = [part for rule in manifest.body["spec"]["rules"] for part in rule.get("filters", [])]
        # An HTTPRoute refers within its namespace only; an Ingress names the namespace in the text.
        for reference in filter(None, (part.get("extensionRef") for part in filters)):
            if reference["kind"] == "Middleware" and (manifest.namespace, reference["name"]) not in own:
                yield manifest.problem("references", f"no Middleware {reference['name']}")
    made = {f"{m.namespace}-{m.name}@kubernetescrd" for m in manifests if m.kind == "Middleware"}
    for manifest in (m for m in manifests if m.kind == "Ingress"):
        chain = manifest.body["metadata"].get("annotations", {}).get(_MIDDLEWARES, "").split(",")
        # Beside ours it may lead to some of other teams or providers, which cannot be seen here.
        for name in chain if made.isdisjoint(chain) else ():
            if name.endswith("@kubernetescrd"):
                yield manifest.problem("references", f"no Middleware {name}")


def _twice(manifests: Sequence[Manifest]) -> Iterator[ManifestProblem]:
    objects = Counter((m.group, m.kind, m.namespace, m.name) for m in manifests)
    for manifest in manifests:
        if objects[manifest.group, manifest.kind, manifest.namespace, manifest.name] > 1:
            yield manifest.problem("references", f"{manifest.kind} {manifest.name} stands in more than one file")
