"""The cluster: Secrets from the store, then Jobs and Deployments of one environment, and which pods a Service has."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cdk8s_mlflow.validation.problem import containers
from live.cluster.deployment import Deployment
from live.cluster.external_secrets import Fetch, secret_data
from live.cluster.image import Image
from live.cluster.job import Job
from live.cluster.objects import Objects, Unsupported
from live.cluster.pod import Pod
from live.cluster.service_links import service_links
from live.cluster.volumes import Volumes

Endpoints = Mapping[str, Sequence[int]]
"""Ports of the ready pods, on this machine, of each ``SERVICE:CONTAINER_PORT``."""


class Cluster:
    """Runs ``objects``; ``publish`` is told the endpoints whenever a pod becomes ready or is no longer.

    Exposes ``objects``, ``volumes``, ``image`` and the Deployment of the tracking server as ``deployment``.
    """

    def __init__(
        self,
        objects: Objects,
        *,
        folder: Path,
        image: Image,
        fetch: Fetch,
        config_maps: Mapping[str, dict[str, str]],
        publish: Callable[[Endpoints], None],
    ) -> None:
        self.objects, self.image = objects, image
        self.volumes = Volumes(folder=folder, config_maps=dict(config_maps))
        self._fetch, self._publish = fetch, publish
        self._publishing = threading.Lock()
        self.deployment = self._deployment()

    def _deployment(self) -> Deployment:
        return Deployment(self.objects.one("Deployment", "mlflow"), self.new_pod, changed=self.publish)

    def sync_secrets(self) -> None:
        """Do External Secrets' work once, and bring what changed to running pods.

        Raises:
            LookupError: the store lacks a value.
        """
        for body in self.objects.all("ExternalSecret"):
            self.volumes.secrets[body["spec"]["target"]["name"]] = secret_data(body, self._fetch)
        self.volumes.refresh()

    def new_pod(self, owner: str, template: Mapping[str, Any]) -> Pod:
        """A pod of a template, not yet started.

        Raises:
            Unsupported: it names another image.
        """
        others = {body["image"] for _, body in containers(dict(template))} - {self.image.reference}
        if others:
            raise Unsupported(f"the image {', '.join(others)}; only {self.image.reference} is here")
        links = service_links(self.objects.all("Service"))
        return Pod(owner=owner, template=template, image=self.image, volumes=self.volumes, links=links)

    def migrate(self) -> Job:
        """Run the migration Job.

        Raises:
            JobError: it fails.
        """
        job = Job(self.objects.one("Job"), self.new_pod)
        job.run()
        return job

    def run_cron_job(self, name: str) -> Job:
        """Run a CronJob's Job now.

        Raises:
            JobError: it fails.
        """
        body = self.objects.one("CronJob", name)
        job = Job({"metadata": body["metadata"], **body["spec"]["jobTemplate"]}, self.new_pod)
        job.run()
        return job

    def apply(self, objects: Objects, *, image: Image) -> None:
        """Become another rendering: its Secrets, its migration Job, then a rolling update.

        Raises:
            JobError: the migration fails; the old pods stay.
            PodError: a new pod does not become ready; the old ones stay.
        """
        self.objects, self.image = objects, image
        self.sync_secrets()
        self.migrate()
        self.deployment.roll(objects.one("Deployment", "mlflow"))

    def publish(self) -> None:
        """Tell where the ready pods are."""
        with self._publishing:
            ready = self.deployment.ready_pods
            services = self.objects.all("Service")
            names = {(body["metadata"]["name"], port) for body in services for pod in ready for port in pod.ports}
            self._publish({f"{name}:{port}": [pod.ports[port] for pod in ready] for name, port in names})

    def stop(self) -> None:
        """Stop every pod."""
        self.deployment.stop()
