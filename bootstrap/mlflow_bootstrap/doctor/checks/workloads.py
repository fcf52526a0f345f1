"""The migration Job, the server's Deployment, the CronJobs: whether they run what is committed."""

from collections.abc import Iterator
from datetime import UTC, datetime

from mlflow_bootstrap.doctor.cluster_reader import Object, collection, condition, path_of
from mlflow_bootstrap.doctor.committed import images
from mlflow_bootstrap.doctor.examination import Examination
from mlflow_bootstrap.doctor.line import Line, failed, passed, warned


def migration(examined: Examination) -> Iterator[Line]:
    """Whether the committed migration Job has succeeded."""
    for job in examined.committed.of_kind("Job"):
        current = examined.cluster.get(path_of(job))
        if current is not None:
            yield _migration(examined, job, current)


def _migration(examined: Examination, job: Object, current: Object) -> Line:
    name = f"Job {job['metadata']['name']}"
    status = current.get("status", {})
    logs = f"kubectl -n {job['metadata']['namespace']} logs job/{job['metadata']['name']}"
    if condition(current, "Complete").get("status") == "True":
        return passed(name, "complete: both databases have the schema of its image")
    if (reason := condition(current, "Failed")).get("status") == "True":
        return failed(
            name,
            f"failed: {reason.get('message') or reason.get('reason')}",
            means="the schema is not that of the image; new pods stay in Init, old ones run on",
            do=f"{logs}; do what its last line says, raise migration.run by one, `make synth`, commit",
        )
    why = _trouble(examined, "migration") or f"{status.get('active', 0)} pods at work"
    return warned(name, f"pending: {why}", means="new pods wait in Init for the schema", do=logs)


def server(examined: Examination) -> Iterator[Line]:
    """Whether the Deployment has the committed images, and enough pods that serve."""
    for item in examined.committed.of_kind("Deployment"):
        current = examined.cluster.get(path_of(item))
        if current is not None:
            yield from _deployment(examined, item, current)


def _deployment(examined: Examination, item: Object, current: Object) -> Iterator[Line]:
    name, namespace = item["metadata"]["name"], item["metadata"]["namespace"]
    runs, wanted = images(current), images(item)
    others = [
        f"{container} runs {runs.get(container)}" for container in wanted if runs.get(container) != wanted[container]
    ]
    if others:
        yield failed(
            f"image of {name}",
            "; ".join(others),
            means=f"committed is {', '.join(sorted(set(wanted.values())))}: this is another, or not rolled out yet",
            do="look at the lines of Flux or Argo CD; someone may have changed the Deployment by hand",
        )
    else:
        yield passed(f"image of {name}", ", ".join(sorted(set(wanted.values()))))
    status, replicas = current.get("status", {}), current["spec"].get("replicas", 1)
    available = status.get("availableReplicas", 0)
    # Until the controller has seen a new spec, its counts are those of the old one.
    is_current = status.get("observedGeneration", 0) >= current["metadata"].get("generation", 0)
    title, look = f"Deployment {name}", f"kubectl -n {namespace} logs deploy/{name} --all-containers"
    component = item["spec"]["template"]["metadata"]["labels"].get("app.kubernetes.io/component", "")
    why = _trouble(examined, component)
    seen = "; ".join(filter(None, (f"{available} of {replicas} pods serve", why)))
    if not available:
        means = "the public host answers 503" if replicas else "it was scaled to nothing"
        yield failed(title, seen, means=means, do=look)
    elif not is_current or available < replicas or status.get("updatedReplicas", 0) < replicas:
        yield warned(title, seen, means="a rollout is under way, or stuck", do=look)
    else:
        yield passed(title, seen)


def _trouble(examined: Examination, component: str) -> str:
    """Why pods of a component do not run, as their containers or the scheduler say; empty if they do."""
    settings = examined.settings
    labels = f"app.kubernetes.io/component={component},app.kubernetes.io/instance={settings.instance}"
    found: dict[str, None] = {}
    for pod in examined.cluster.items(collection("v1", "Pod", settings.namespace), labelSelector=labels):
        status = pod.get("status", {})
        if condition(pod, "PodScheduled").get("status") == "False":
            found[f"cannot be scheduled: {condition(pod, 'PodScheduled').get('message', '')}"] = None
        for container in (*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())):
            waiting = container.get("state", {}).get("waiting") or {}
            if waiting.get("reason") not in (None, "PodInitializing", "ContainerCreating"):
                found[f"{container['name']}: {waiting['reason']} {waiting.get('message', '')}".strip()] = None
    return "; ".join(found)


def cron_jobs(examined: Examination) -> Iterator[Line]:
    """Whether the latest run of each CronJob has succeeded; that of the dump is the age of the backup."""
    for item in examined.committed.of_kind("CronJob"):
        current = examined.cluster.get(path_of(item))
        if current is not None:
            yield _cron_job(item, current)


def _cron_job(item: Object, current: Object) -> Line:
    name, namespace = item["metadata"]["name"], item["metadata"]["namespace"]
    status = current.get("status", {})
    succeeded, scheduled = _time(status.get("lastSuccessfulTime")), _time(status.get("lastScheduleTime"))
    title, jobs = f"CronJob {name}", f"kubectl -n {namespace} get jobs"
    means = "there is no recent backup" if "dump" in name else "what it clears away stays"
    describe = f"kubectl -n {namespace} describe cronjob {name}"
    # server.read_only suspends what deletes, for as long as it is committed.
    match bool(item["spec"].get("suspend")), bool(current["spec"].get("suspend")):
        case True, True:
            return passed(title, "suspended, as committed")
        case True, False:
            seen = "committed is suspended, and it still runs"
            return warned(title, seen, means="it may delete what the freeze is to keep", do=describe)
        case False, True:
            return failed(title, "suspended", means=means, do=describe)
    if scheduled is None:
        return warned(
            title,
            "was never due",
            means=means,
            do=f"kubectl -n {namespace} create job --from=cronjob/{name} {name}-now",
        )
    allowed = item["spec"]["jobTemplate"]["spec"].get("activeDeadlineSeconds", 3600)
    late = (datetime.now(UTC) - scheduled).total_seconds() > allowed
    if late and (succeeded is None or succeeded < scheduled):
        last = f"last success {_age(succeeded)}" if succeeded else "never succeeded"
        return failed(title, f"{last}, due {_age(scheduled)}", means=means, do=jobs)
    return passed(title, f"last success {_age(succeeded)}" if succeeded else f"running since {_age(scheduled)}")


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _age(moment: datetime) -> str:
    hours = (datetime.now(UTC) - moment).total_seconds() / 3600
    return f"{hours:.0f} hours ago" if hours >= 1 else f"{hours * 60:.0f} minutes ago"
