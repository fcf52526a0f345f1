"""The variables by which a kubelet tells every pod of the Services in its namespace."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SERVICE_ADDRESS = "10.43.0.17"


def service_links(services: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Source: Kubernetes documentation, "Service", "Environment variables"."""
    return dict(link for service in services for link in _of(service))


def _of(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = service["metadata"]["name"].upper().replace("-", "_")
    ports = service["spec"]["ports"]
    yield f"{name}_SERVICE_HOST", SERVICE_ADDRESS
    yield f"{name}_SERVICE_PORT", str(ports[0]["port"])
    yield f"{name}_PORT", _url(ports[0])
    for port in ports:
        yield f"{name}_SERVICE_PORT_{port['name'].upper()}", str(port["port"])
        prefix = f"{name}_PORT_{port['port']}_{port['protocol']}"
        yield prefix, _url(port)
        yield f"{prefix}_PROTO", port["protocol"].lower()
        yield f"{prefix}_PORT", str(port["port"])
        yield f"{prefix}_ADDR", SERVICE_ADDRESS


def _url(port: Mapping[str, Any]) -> str:
    return f"{port['protocol'].lower()}://{SERVICE_ADDRESS}:{port['port']}"
