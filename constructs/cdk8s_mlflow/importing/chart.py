"""A values file of the chart community-charts/mlflow, area by area."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cdk8s_mlflow.importing.chart_network import http_route, ingress, service
from cdk8s_mlflow.importing.chart_pods import POD_AREAS, unrestricted
from cdk8s_mlflow.importing.chart_stores import artifact_root, backend_store, oidc
from cdk8s_mlflow.importing.outcome import ALWAYS, SECRET, Carried, LeftOut, Outcome, asked, text_of
from cdk8s_mlflow.importing.variables import variables
from cdk8s_mlflow.importing.watched import Rule, apply_rule
from cdk8s_mlflow.settings.foreign_keys import EQUIVALENTS, REASONS

Values = Mapping[str, Any]


def release_of(values: Values) -> str:
    """The release that takes the installation's databases over: the oldest that is as new as its image."""
    image = values.get("image")
    tag = text_of(image.get("tag") or "") if isinstance(image, Mapping) else ""
    version = re.match(r"v?(\d+)\.(\d+)", tag)
    # The databases of a newer MLflow cannot be read by 3.6.0, and no release of ours is between the two.
    return "3.6.0" if version and (int(version[1]), int(version[2])) <= (3, 6) else "3.17.2"


def chart_values(values: Values) -> Iterator[Outcome]:
    """What becomes of each setting of ``values``; what asks for nothing is passed over."""
    release = release_of(values)
    yield Carried("release", release)
    routed = _is_on(values.get("httpRoute"))
    for area, value in values.items():
        # A route takes the place of an Ingress that is off, which else would switch ours off.
        if not asked(value) or (area == "ingress" and routed and not _is_on(value)):
            continue
        rule = AREAS.get(area)
        if area == "httpRoute" and routed and _is_on(values.get("ingress")):
            yield LeftOut(area, "would be a second way in; set ingress.gateway by hand if it is to replace the Ingress")
        elif rule is not None:
            yield from apply_rule(area, rule, value, release)
        elif area in REASONS:
            yield from _left(area, value)
        elif area in EQUIVALENTS:
            yield LeftOut(area, f"is {EQUIVALENTS[area]} here, which would change names: set it by hand")
        else:
            yield LeftOut(area, "is not known to this version")


def _is_on(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("enabled") is True


def _left(area: str, value: Any) -> Iterator[Outcome]:
    """A reason once for an area; what is switched off asks for nothing."""
    # Charts leave defaults below a part that is switched off.
    if isinstance(value, Mapping) and value.get("enabled") is False:
        return
    yield LeftOut(area, REASONS[area])


def _copy(key: str) -> Rule:
    return lambda value, release: iter([Carried(key, value)])


def _mapping(key: str) -> Rule:
    return lambda value, release: iter([Carried(key, {str(k): text_of(v) for k, v in value.items()})])


def _names(source: str, key: str) -> Rule:
    def rule(value: Any, release: str) -> Iterator[Outcome]:
        if "*" in value:
            yield LeftOut(source, f"is a wildcard, by which any page or host would be trusted; name them in {key}")
        else:
            yield Carried(key, list(value))

    return rule


def _image(value: Values, release: str) -> Iterator[Outcome]:
    # IfNotPresent is the chart's default as well as ours, so it asks for nothing.
    if value.get("pullPolicy") not in (None, "IfNotPresent"):
        yield Carried("image.pull_policy", value["pullPolicy"])
    given = [str(value[key]) for key in ("repository", "tag", "digest") if value.get(key)]
    if given:
        yield LeftOut(
            "image", f"is {' '.join(given)}, which lacks our programs: `cdk8s-mlflow image build-and-push` makes one"
        )


def _pull_secrets(value: Sequence[Any], release: str) -> Iterator[Outcome]:
    names = [item.get("name") if isinstance(item, Mapping) else item for item in value]
    yield Carried("image.pull_secrets", [name for name in names if name])


def _service_account(value: Values, release: str) -> Iterator[Outcome]:
    annotations = value.get("annotations") or {}
    if annotations and value.get("create") is not False:
        yield Carried("server.service_account_annotations", {k: text_of(v) for k, v in annotations.items()})
    # Helm then runs the pods as an account that exists, `default` if no name is given.
    if value.get("create") is False:
        yield Carried("server.service_account", str(value.get("name") or "default"))
    elif value.get("name"):
        yield LeftOut("serviceAccount.name", "is mlflow here, or that of an existing one in server.service_account")


def _autoscaling(value: Values, release: str) -> Iterator[Outcome]:
    if value.get("enabled") is not True:
        return
    # 1 and 5 are the chart's own defaults.
    lowest, most = int(value.get("minReplicas", 1)), int(value.get("maxReplicas", 5))
    yield Carried("server.autoscaling.min_replicas", lowest)
    yield Carried("server.autoscaling.max_replicas", most)
    for metric in value.get("metrics") or []:
        resource = metric.get("resource") or {}
        percent = (resource.get("target") or {}).get("averageUtilization")
        # A scaler by memory never scales down, since Python returns little of it to the node.
        if resource.get("name") == "cpu" and percent:
            yield Carried("server.autoscaling.cpu_percent", int(percent))
        else:
            what = resource.get("name") or metric.get("type")
            yield LeftOut(
                "autoscaling.metrics",
                f"has {what}: a process of MLflow keeps memory, and other metrics have server.autoscaling.pod_metrics",
            )
    if asked(value.get("behavior")):
        yield LeftOut(
            "autoscaling.behavior", "has server.autoscaling.scale_up_window_seconds and scale_down_window_seconds here"
        )


def _replicas(value: Any, release: str) -> Iterator[Outcome]:
    yield Carried("server.replicas", int(value))


def _resources(value: Values, release: str) -> Iterator[Outcome]:
    for kind, suffix in (("requests", "request"), ("limits", "limit")):
        for name, quantity in (value.get(kind) or {}).items():
            if name in ("cpu", "memory"):
                yield Carried(f"server.resources.{name}_{suffix}", text_of(quantity))
            else:
                yield LeftOut(f"resources.{kind}.{name}", "follows from server.tmp_size")


def _security(area: str) -> Rule:
    def rule(value: Values, release: str) -> Iterator[Outcome]:
        yield from _user(value)
        yield from unrestricted(area, {key: item for key, item in value.items() if key != "runAsUser"})

    return rule


def _user(value: Values) -> Iterator[Outcome]:
    user = value.get("runAsUser")
    # Below are users that nodes have as well; a process that leaves its container would be one of them.
    if isinstance(user, int) and user >= 10000:
        yield Carried("server.user_id", user)
    elif user is not None:
        yield LeftOut(
            "runAsUser", f"is {user}; here it is 10000 or more (server.user_id), apart from users of the node"
        )


def _monitor(value: Values, release: str) -> Iterator[Outcome]:
    yield Carried("monitoring.service_monitor", bool(value.get("enabled")))
    if not value.get("enabled"):
        return
    names = {"interval": "monitoring.interval", "timeout": "monitoring.scrape_timeout", "labels": "monitoring.labels"}
    for name, key in names.items():
        if value.get(name):
            yield Carried(key, dict(value[name]) if isinstance(value[name], Mapping) else str(value[name]))
    if value.get("namespace"):
        yield Carried("monitoring.namespace", value["namespace"])
        yield LeftOut(
            "serviceMonitor.namespace", "is where Prometheus runs here; the ServiceMonitor is in our namespace"
        )
    for name in ("targetLabels", "metricRelabelings"):
        if asked(value.get(name)):
            yield LeftOut(f"serviceMonitor.{name}", "is not a setting: relabel in Prometheus's own configuration")


def _tolerations(value: Sequence[Values], release: str) -> Iterator[Outcome]:
    kept = ("key", "operator", "value", "effect")
    for item in value:
        extra = sorted(set(item) - set(kept))
        if extra or not item.get("key"):
            yield LeftOut("tolerations", f"has one with {', '.join(extra) or 'no key'}, which is not a setting")
    usable = [item for item in value if item.get("key") and not set(item) - set(kept)]
    if usable:
        yield Carried("server.tolerations", [{k: text_of(v) for k, v in item.items() if v} for item in usable])


def _log(value: Values, release: str) -> Iterator[Outcome]:
    level = str(value.get("level") or "").upper()
    if level in ("DEBUG", "INFO", "WARNING", "ERROR"):
        yield Carried("server.log_level", level)
    elif level:
        yield LeftOut("log.level", f"is {level}; DEBUG, INFO, WARNING and ERROR exist")


def _arguments(value: Values, release: str) -> Iterator[Outcome]:
    for name, argument in value.items():
        if name == "workers":
            yield Carried("server.workers", int(argument))
        elif name == "staticPrefix":
            yield LeftOut("extraArgs.staticPrefix", REASONS["staticPrefix"])
        else:
            yield LeftOut(f"extraArgs.{name}", REASONS["extraArgs"])


def _flags(value: Sequence[str], release: str) -> Iterator[Outcome]:
    for flag in value:
        yield LeftOut(f"extraFlags.{flag}", ALWAYS if flag == "serveArtifacts" else REASONS["extraFlags"])


def _garbage_collection(value: Values, release: str) -> Iterator[Outcome]:
    yield Carried("maintenance.garbage_collection", bool(value.get("enabled")))
    if value.get("enabled") and value.get("schedule"):
        yield Carried("maintenance.garbage_collection_schedule", str(value["schedule"]))
    older, source = str(value.get("olderThan") or ""), "garbageCollection.olderThan"
    if not value.get("enabled") or not older:
        return
    days = _days(older)
    if days is None:
        yield LeftOut(source, f"is {older}, no duration of the form 1d2h3m4s; set maintenance.retention_days")
    else:
        yield Carried("maintenance.retention_days", days)


def _days(duration: str) -> int | None:
    """Whole days of MLflow's form 1d2h3m4s, rounded up so that nothing is deleted earlier; None for another form."""
    match = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", duration)
    if match is None:
        return None
    seconds = sum(int(number or 0) * unit for number, unit in zip(match.groups(), (86400, 3600, 60, 1), strict=True))
    return max(1, -(-seconds // 86400))


def _environment(value: Values, release: str) -> Iterator[Outcome]:
    for outcome in variables({name: text_of(item) for name, item in value.items()}, release=release):
        yield LeftOut(f"extraEnvVars.{outcome.source}", outcome.reason) if isinstance(outcome, LeftOut) else outcome


def _telemetry(value: Values, release: str) -> Iterator[Outcome]:
    yield LeftOut("telemetry", REASONS["telemetry"])


AREAS: Mapping[str, Rule] = {
    "replicaCount": _replicas,
    "autoscaling": _autoscaling,
    "image": _image,
    "imagePullSecrets": _pull_secrets,
    "serviceAccount": _service_account,
    "deploymentAnnotations": _mapping("server.annotations"),
    **POD_AREAS,
    "resources": _resources,
    "securityContext": _security("securityContext"),
    "podSecurityContext": _security("podSecurityContext"),
    "nodeSelector": _mapping("server.node_selector"),
    "tolerations": _tolerations,
    "priorityClassName": _copy("server.priority_class"),
    "log": _log,
    "telemetry": _telemetry,
    "backendStore": backend_store,
    "artifactRoot": artifact_root,
    "oidcAuth": oidc,
    "ingress": ingress,
    "httpRoute": http_route,
    "service": service,
    "corsAllowedOrigins": _names("corsAllowedOrigins", "server.cors_origins"),
    "serverAllowedHosts": _names("serverAllowedHosts", "server.allowed_hosts"),
    "serviceMonitor": _monitor,
    "garbageCollection": _garbage_collection,
    "extraArgs": _arguments,
    "extraFlags": _flags,
    "extraEnvVars": _environment,
    "flaskServerSecretKey": lambda value, release: iter([LeftOut("flaskServerSecretKey", SECRET)]),
}
"""Areas of the values file that are settings of ours, in part at least."""
