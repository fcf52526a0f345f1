"""The way of a request into the cluster, before the first apply: IngressClass or Gateway, time limits, DNS."""

import re
import socket
from collections.abc import Iterator

from cdk8s_mlflow.settings.monitoring import seconds
from mlflow_bootstrap.doctor.cluster_reader import Object, collection, condition
from mlflow_bootstrap.doctor.examination import Examination
from mlflow_bootstrap.doctor.line import Line, failed, passed, warned

_DEFAULT_SECONDS = 60
"""``respondingTimeouts.readTimeout`` of an entry point (Traefik documentation, EntryPoints, since 2.11.2)."""
_SHORT_SECONDS = 600


def ingress_class(examined: Examination) -> Iterator[Line]:
    """Whether the IngressClass, or each Gateway, exists."""
    ingress = examined.settings.ingress
    if not ingress.enabled:
        return
    if ingress.gateway is not None:
        for parent in ingress.gateway.parents:
            yield _gateway(examined, parent.name, parent.namespace or examined.settings.namespace)
        return
    name = f"IngressClass {ingress.ingress_class}"
    found = examined.cluster.get(f"{collection('networking.k8s.io/v1', 'IngressClass')}/{ingress.ingress_class}")
    if found is None:
        yield failed(
            name,
            "does not exist",
            means="no controller serves the Ingress: the host answers 404, or does not answer",
            do="install the ingress controller, or name another in ingress.class_name",
        )
    else:
        yield passed(name, f"served by {found['spec'].get('controller')}")


def _gateway(examined: Examination, name: str, namespace: str) -> Line:
    path = collection("gateway.networking.k8s.io/v1", "Gateway", namespace)
    found = examined.cluster.get(f"{path}/{name}")
    title, means = f"Gateway {name}", "no controller serves the HTTPRoute"
    if found is None:
        return failed(title, f"does not exist in {namespace}", means=means, do="correct ingress.gateway.parents")
    state = condition(found, "Programmed")
    if state.get("status") != "True":
        why = state.get("message") or "no controller has programmed it"
        return failed(title, why, means=means, do=f"kubectl -n {namespace} describe gateway {name}")
    return passed(title, "programmed")


def middlewares(examined: Examination) -> Iterator[Line]:
    """Whether each Middleware of the user's that is a custom resource exists; those of files only Traefik knows."""
    wanted = examined.settings.ingress.custom_middlewares
    if not wanted:
        return
    # Compared as Traefik joins them: the dash between namespace and name may also be in both.
    items = examined.cluster.items(collection("traefik.io/v1alpha1", "Middleware"))
    there = {f"{item['metadata']['namespace']}-{item['metadata']['name']}" for item in items}
    for name in wanted:
        if name in there:
            yield passed(f"Middleware {name}", "exists")
        else:
            yield failed(
                f"Middleware {name}",
                "does not exist",
                means="Traefik drops the route, so every path answers 404",
                do="create it, or take it out of ingress.more_middlewares",
            )


def read_timeout(examined: Examination) -> Iterator[Line]:
    """How long Traefik lets a request body arrive."""
    ingress = examined.settings.ingress
    if ingress.controller != "traefik" or not (found := examined.controllers_named("traefik")):
        return
    flag = f"--entrypoints.{ingress.entry_point}.transport.respondingtimeouts.readtimeout"
    limit = _limit(found[0], flag)
    name = "Traefik's readTimeout"
    if limit and limit < _SHORT_SECONDS:
        yield warned(
            name,
            f"{limit} s at the entry point {ingress.entry_point}",
            means=f"an upload that takes longer than {limit} s is cut off",
            do=f"start Traefik with {flag}=0, or a time in which your largest artifact arrives",
        )
    else:
        yield passed(name, f"{limit} s" if limit else "no limit")


def _limit(controller: Object, flag: str) -> int:
    container = controller["spec"]["template"]["spec"]["containers"][0]
    for argument in (*container.get("command", ()), *container.get("args", ())):
        name, _, value = argument.partition("=")
        if name.lower() == flag.lower():
            # Traefik takes a number of seconds, or a Go duration.
            return int(value) if re.fullmatch(r"\d+", value) else seconds(value)
    return _DEFAULT_SECONDS


def names(examined: Examination) -> Iterator[Line]:
    """Whether DNS knows the public hosts, from where doctor runs."""
    settings = examined.settings
    for host in dict.fromkeys((*settings.ingress.hosts, settings.authentication.keycloak_host)):
        yield _name(host, is_given=examined.web.connect is not None)


def _name(host: str, *, is_given: bool) -> Line:
    try:
        found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)})
    except OSError as error:
        if is_given:
            return warned(
                f"DNS of {host}",
                f"unknown here ({error.strerror})",
                means="doctor asks at the address of --connect; others need DNS",
                do="create the record before users come",
            )
        return failed(
            f"DNS of {host}",
            f"unknown here ({error.strerror})",
            means="browsers and clients do not find it, and cert-manager gets no certificate for it",
            do="create the record, or name the ingress controller with --connect",
        )
    return passed(f"DNS of {host}", ", ".join(found))
