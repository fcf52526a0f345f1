"""The runner of manifests keeps to what they say: user, mounts, read-only root, variables, retries; or refuses."""

from pathlib import Path
from typing import Any

import pytest

from live.cluster import Job, JobError, Pod, Unsupported, Volumes
from live.cluster.external_secrets import secret_data
from live.cluster.image import Image
from live.cluster.service_links import service_links

pytestmark = pytest.mark.servers

IMAGE = Image("none", "localhost/none:1", (Path("/usr"),))
SECURITY = {"runAsUser": 10001, "runAsGroup": 10001}
LOCKED = {"readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
SERVICE = {
    "metadata": {"name": "mlflow"},
    "spec": {"ports": [{"name": "http", "port": 80, "protocol": "TCP"}]},
}


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(folder=tmp_path / "pods", secrets={"login": {"password": "p1"}})


def _template(script: str, **spec: Any) -> dict[str, Any]:
    mounts = [
        {"name": "login", "mountPath": "/var/run/secrets/app/login", "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},
    ]
    container = {
        "name": "main",
        "command": ["sh", "-c", script],
        "volumeMounts": mounts,
        "securityContext": LOCKED,
        "env": [{"name": "GREETING", "value": "hello"}],
    }
    folders = [
        {"name": "login", "secret": {"secretName": "login", "defaultMode": 0o440}},
        {"name": "tmp", "emptyDir": {}},
    ]
    return {"spec": {"securityContext": SECURITY, "containers": [container], "volumes": folders, **spec}}


def _ran(script: str, volumes: Volumes, **spec: Any) -> tuple[int, str]:
    links = service_links([SERVICE])
    pod = Pod(owner="try", template=_template(script, **spec), image=IMAGE, volumes=volumes, links=links)
    return pod.run(), pod.log.read_text()


def test_a_container_has_the_user_the_mounts_and_the_variables_of_its_manifest(volumes: Volumes) -> None:
    code, said = _ran(
        'id -u; cat /var/run/secrets/app/login/password; stat -c " %a" /var/run/secrets/app/login/password;'
        " echo $GREETING; grep CapEff /proc/self/status",
        volumes,
    )

    assert code == 0
    assert said.split() == ["10001", "p1", "440", "hello", "CapEff:", "0000000000000000"]


def test_a_container_writes_nowhere_but_into_its_empty_folders(volumes: Volumes) -> None:
    code, said = _ran("touch /tmp/mine && for file in /mine /run/mine /var/tmp/mine; do touch $file; done", volumes)

    assert code != 0
    assert said.count("Read-only file system") == 3


@pytest.mark.parametrize(("switch", "expected"), [({}, "tcp://10.43.0.17:80"), ({"enableServiceLinks": False}, "")])
def test_services_give_their_variables_unless_the_pod_refuses_them(
    volumes: Volumes, switch: dict[str, bool], expected: str
) -> None:
    _, said = _ran("echo $MLFLOW_PORT", volumes, **switch)

    assert said.strip() == expected


def test_a_changed_secret_reaches_a_pod_that_mounts_it(volumes: Volumes) -> None:
    pod = Pod(owner="try", template=_template("true"), image=IMAGE, volumes=volumes)
    folder = pod.folders["login"]

    volumes.secrets["login"] = {"password": "p2"}
    volumes.refresh()

    assert (folder / "password").read_text() == "p2"


def test_a_pod_whose_secret_is_missing_does_not_start(volumes: Volumes) -> None:
    volumes.secrets.clear()
    pod = Pod(owner="try", template=_template("true"), image=IMAGE, volumes=volumes)

    with pytest.raises(LookupError, match="Secret login is not there"):
        pod.start()


@pytest.mark.parametrize(("codes", "attempts"), [("75 75 0", 3), ("7 0", 2)])
def test_a_job_tries_again_after_a_failure_that_its_policy_forgives(
    volumes: Volumes, codes: str, attempts: int
) -> None:
    job = _job(volumes, codes)

    job.run()

    assert len(job.pods) == attempts


@pytest.mark.parametrize(("codes", "attempts"), [("1", 1), ("7 7 7", 3)])
def test_a_job_fails_at_once_or_when_its_limit_is_reached(volumes: Volumes, codes: str, attempts: int) -> None:
    job = _job(volumes, codes)

    with pytest.raises(JobError, match="failed with exit code"):
        job.run()

    assert len(job.pods) == attempts


def _job(volumes: Volumes, codes: str) -> Job:
    """A Job whose pods end with the ``codes`` one after the other."""
    left = iter(codes.split())

    def new_pod(owner: str, template: Any) -> Pod:
        volumes.secrets["login"] = {"password": next(left)}
        return Pod(owner=owner, template=template, image=IMAGE, volumes=volumes)

    rules = [{"action": action, "onExitCodes": {"values": [code]}} for action, code in (("Ignore", 75), ("FailJob", 1))]
    template = _template("exit $(cat /var/run/secrets/app/login/password)")
    limits = {"activeDeadlineSeconds": 60, "backoffLimit": 2}
    spec = {**limits, "podFailurePolicy": {"rules": rules}, "template": template}
    return Job({"metadata": {"name": "try"}, "spec": spec}, new_pod)


def test_what_is_not_done_here_is_refused(volumes: Volumes) -> None:
    projected = _template("true", volumes=[{"name": "login", "projected": {}}])
    templated = {"spec": {"data": [], "target": {"template": {"data": {"a": "{{ .x | upper }}"}}}}}

    with pytest.raises(Unsupported, match="volume login: name, projected"):
        Pod(owner="try", template=projected, image=IMAGE, volumes=volumes).start()
    with pytest.raises(Unsupported, match="does more than name fields"):
        secret_data(templated, lambda key, name: "")
