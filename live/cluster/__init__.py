"""What a cluster makes of rendered manifests: Secrets, pods, Jobs and Deployments as local processes."""

from live.cluster.deployment import Deployment
from live.cluster.job import Job, JobError
from live.cluster.objects import Objects, Unsupported
from live.cluster.pod import Pod, PodError
from live.cluster.volumes import Volumes

__all__ = ["Deployment", "Job", "JobError", "Objects", "Pod", "PodError", "Unsupported", "Volumes"]
