"""Reads any object of a Kubernetes cluster; writes none."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any
from urllib.parse import quote

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.doctor.errors import CannotReadError
from mlflow_bootstrap.errors import UsageError
from mlflow_bootstrap.store.cluster import NOT_KUBERNETES, cluster_configuration

Object = dict[str, Any]

_TIMEOUT = (3, 6)
"""Seconds to connect, and for an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``body`` is None if there is no such object; ``date`` is the server's header of that name."""

    body: Object | None
    date: str | None


class ClusterReader:
    """The cluster that the kubeconfig, or the pod that we run in, points at."""

    def __init__(self, settings: Settings) -> None:
        self._context = settings.bootstrap.kube_context
        self._lock = Lock()
        self._made: client.ApiClient | None = None

    @property
    def address(self) -> str:
        """Address of the API server."""
        return str(self._client.configuration.host)

    @property
    def _client(self) -> client.ApiClient:
        # Checks run at the same time: each would start the kubeconfig's login program, which may open a browser.
        with self._lock:
            if self._made is None:
                self._made = self._new_client()
            return self._made

    def _new_client(self) -> client.ApiClient:
        try:
            return client.ApiClient(cluster_configuration(self._context))
        except UsageError as error:
            raise CannotReadError(error.text, remedy=error.remedy) from None

    def answer(self, path: str, **query: str) -> Answer:
        """What a GET of ``path`` gives.

        Raises:
            CannotReadError: it is forbidden, or the server does not answer.
        """
        try:
            # Not the generated classes: doctor reads kinds of operators, for which the client has none.
            found = self._client.call_api(
                path,
                "GET",
                query_params=list(query.items()),
                header_params={"Accept": "application/json"},
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=_TIMEOUT,
            )
            # Read here: until then an answer may break off.
            body = found.data
        except ApiException as error:
            # The API server says the same of a missing object and of a kind that it does not know.
            if error.status == 404:
                return Answer(None, (error.headers or {}).get("Date"))
            raise self._refused(path, error) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise self._unreachable(error) from None
        return Answer(self._object(body), found.headers.get("Date"))

    def get(self, path: str, **query: str) -> Object | None:
        """An object; None if there is none, or if the cluster does not know its kind."""
        return self.answer(path, **query).body

    def items(self, path: str, **query: str) -> list[Object]:
        """A list's objects; empty if the cluster does not know their kind."""
        found = self.get(path, **query)
        if found is not None and not isinstance(found.get("items"), list):
            raise self._not_kubernetes()
        return found["items"] if found else []

    def execute(self, namespace: str, pod: str, command: list[str], *, container: str, seconds: float) -> str:
        """Standard output of ``command`` in a container.

        Raises:
            CannotReadError: it is forbidden, or there is no such container.
        """
        # Its stream() replaces a method of the client that it is given, so this one is not shared.
        from kubernetes.stream import stream

        api = client.CoreV1Api(self._new_client())
        try:
            opened = stream(
                api.connect_get_namespaced_pod_exec,
                pod,
                namespace,
                container=container,
                command=command,
                stdout=True,
                # The programs print warnings there, and only the lines on standard output are JSON.
                stderr=False,
                _preload_content=False,
            )
            opened.run_forever(timeout=seconds)
            return str(opened.read_stdout(timeout=0) or "")
        except ApiException as error:
            raise self._refused(f"exec in pod {namespace}/{pod}", error) from None
        except OSError as error:
            raise self._unreachable(error) from None

    def _object(self, body: bytes) -> Object:
        try:
            found = json.loads(body)
        except ValueError:
            found = None
        # An API server names the kind of every object but that of /version.
        if not isinstance(found, dict) or not found.keys() & {"kind", "gitVersion"}:
            raise self._not_kubernetes()
        return found

    def _not_kubernetes(self) -> CannotReadError:
        return CannotReadError(f"what answers at {self.address} is not Kubernetes", remedy=NOT_KUBERNETES)

    def _refused(self, what: str, error: ApiException) -> CannotReadError:
        if error.status in (401, 403):
            return CannotReadError(
                f"Kubernetes refuses {what} ({error.reason})",
                remedy="`doctor --rights` prints the roles that the login needs",
            )
        return CannotReadError(f"Kubernetes answers {error.status} to {what} ({error.reason})", remedy="try again")

    def _unreachable(self, error: Exception) -> CannotReadError:
        return CannotReadError(
            f"cannot reach Kubernetes at {self.address} ({type(error).__name__})",
            remedy="check KUBECONFIG and bootstrap.kube_context" if os.environ.get("KUBECONFIG") else "set KUBECONFIG",
        )


def plural(kind: str) -> str:
    """The name of a kind in paths: lower case and plural, as Kubernetes' API conventions have it."""
    name = kind.lower()
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("s") else f"{name}s"


def collection(api_version: str, kind: str, namespace: str | None = None) -> str:
    """Path of all objects of a kind."""
    root = "/api" if "/" not in api_version else "/apis"
    within = f"/namespaces/{quote(namespace)}" if namespace else ""
    return f"{root}/{api_version}{within}/{plural(kind)}"


def path_of(item: Mapping[str, Any]) -> str:
    """Path of an object as a manifest names it."""
    metadata = item["metadata"]
    where = collection(item["apiVersion"], item["kind"], metadata.get("namespace"))
    return f"{where}/{quote(metadata['name'])}"


def condition(item: Mapping[str, Any], type_: str = "Ready") -> Mapping[str, str]:
    """A condition of an object's status; empty if it has none."""
    found = item.get("status", {}).get("conditions") or []
    return next((c for c in found if c["type"] == type_), {})
