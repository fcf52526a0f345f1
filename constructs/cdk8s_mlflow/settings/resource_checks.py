"""Quantities, names and tolerations: fine each, and refused together by the API server, or no pod runs with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from cdk8s_mlflow.settings.section import Conflict

if TYPE_CHECKING:
    from cdk8s_mlflow.settings.environment import EnvironmentSettings


SERVER_DISK_REQUEST = "256Mi"
"""Room for logs and scratch files that the server's container reserves; its limit is ``server.tmp_size``."""

_POWERS = {"k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
_UNITS = {"": Decimal(1), "m": Decimal("0.001"), **{unit: Decimal(power) for unit, power in _POWERS.items()}}
_LEAST_MEMORY = "1Mi"
_MOST_CPU = 1024
_LONGEST_CLUSTER = 50
"""CloudNativePG's bound for a Cluster's name, to which it adds -rw and the like."""


def amount(quantity: str) -> Decimal:
    """``quantity`` as a number of cores or bytes (Kubernetes documentation, "Quantity")."""
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", quantity).groups()  # type: ignore[union-attr]
    # Decimal: 0.1 as a float is not a tenth, and equal quantities would differ.
    return Decimal(number) * _UNITS[unit]


def resource_conflicts(settings: EnvironmentSettings) -> Iterator[Conflict]:
    """Dotted key and message for each resource, name and toleration that cannot hold together with the others."""
    server = settings.server
    yield from _pair("server.resources", "cpu", server.resources.cpu_request, server.resources.cpu_limit)
    yield from _pair("server.resources", "memory", server.resources.memory_request, server.resources.memory_limit)
    yield from _workers(settings)
    if amount(server.tmp_size) < amount(SERVER_DISK_REQUEST):
        yield (
            "server.tmp_size",
            f"is {server.tmp_size}, less than the {SERVER_DISK_REQUEST} that the server's container reserves; raise it",
        )
    for kind, containers in (("sidecars", server.sidecars), ("init_containers", server.init_containers)):
        for number, container in enumerate(containers):
            own, key = container.resources, f"server.{kind}[{number}].resources"
            yield from _pair(key, "cpu", own.cpu_request, own.cpu_limit)
            yield from _pair(key, "memory", own.memory_request, own.memory_limit)
            yield from _pair(key, "disk", own.disk_request, own.disk_limit)
    yield from _tolerations(settings)
    if len(settings.database.cluster) > _LONGEST_CLUSTER:
        yield (
            "database.cluster",
            f"has {len(settings.database.cluster)} characters, but CloudNativePG's Clusters have at most "
            f"{_LONGEST_CLUSTER}, so that their Services' names fit; correct it",
        )


def _pair(section: str, name: str, request: str, limit: str) -> Iterator[Conflict]:
    if amount(request) > amount(limit):
        yield (
            f"{section}.{name}_request",
            f"is {request}, more than {section}.{name}_limit, which is {limit}; lower it, or raise the limit",
        )
    # Millicores without their m, such as 500 for 500m.
    if name == "cpu" and amount(limit) > _MOST_CPU:
        yield f"{section}.cpu_limit", f"is {limit}, more cores than any node has; write cores, such as 2, or 500m"
    if name == "cpu" and amount(limit) < amount("1m"):
        yield f"{section}.cpu_limit", f"is {limit}, with which nothing runs; write cores, such as 2, or 500m"
    # Bytes without their unit, such as 768 for 768Mi, or thousandths of them.
    if name == "memory" and 0 < amount(request) < amount("1Mi") <= amount(limit):
        yield f"{section}.memory_request", f"is {request}, less than any program needs; write bytes, such as 768Mi"
    if name == "memory" and amount(limit) < amount(_LEAST_MEMORY):
        yield f"{section}.memory_limit", f"is {limit}, with which nothing starts; write bytes, such as 2Gi"


def _workers(settings: EnvironmentSettings) -> Iterator[Conflict]:
    workers, limit = settings.server.workers, settings.server.resources.memory_limit
    least = workers * settings.tested_release.worker_mebibytes
    if amount(_LEAST_MEMORY) <= amount(limit) < amount(f"{least}Mi"):
        yield (
            "server.resources.memory_limit",
            f"is {limit}, but server.workers is {workers}, and they take {least}Mi before the first request; raise the "
            "limit to about twice that" + (", or lower server.workers" if workers > 1 else ""),
        )


def _tolerations(settings: EnvironmentSettings) -> Iterator[Conflict]:
    for number, toleration in enumerate(settings.server.tolerations):
        if toleration.operator == "Exists" and toleration.value:
            yield f"server.tolerations[{number}].value", "has no effect with operator Exists; remove one of them"
