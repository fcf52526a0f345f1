"""The Secrets of a Kubernetes cluster, read and written with its optimistic locking."""

import base64
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import urllib3
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from cdk8s_mlflow.contract import SecretTemplate
from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.errors import (
    BootstrapError,
    ConflictError,
    MissingError,
    RefusedError,
    UnreachableError,
    UsageError,
)
from mlflow_bootstrap.retry import TRANSIENT_STATUS, retrying

MANAGER = "cdk8s-mlflow"
"""Owner of the fields that we write, and value of the label ``app.kubernetes.io/managed-by``."""
NOT_KUBERNETES = "check the server in KUBECONFIG, and whether a login or a proxy stands before it"
_NONE: Mapping[str, str | None] = MappingProxyType({})
# Up to version 35 the client logs each answer at level DEBUG, which for a Secret is its data.
logging.getLogger("kubernetes.client.rest").setLevel(logging.INFO)
DEFAULT_KUBECONFIG = Path.home() / ".kube" / "config"


@dataclass(frozen=True, slots=True)
class ExistingSecret:
    """A Secret of the cluster: decoded ``data``, and the ``version`` that a write must find unchanged."""

    type: str
    labels: Mapping[str, str]
    data: Mapping[str, str]
    version: str
    annotations: Mapping[str, str] = field(default_factory=dict)


class Cluster:
    """The Secrets of the cluster that the kubeconfig, or the pod that we run in, points at."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings.bootstrap
        self._retrying = retrying(settings.bootstrap, transient=_transient)
        self._read: dict[tuple[str, str], ExistingSecret | None] = {}
        self._unreachable: UnreachableError | None = None

    @cached_property
    def _api(self) -> client.CoreV1Api:
        return client.CoreV1Api(client.ApiClient(cluster_configuration(self._settings.kube_context)))

    def read(self, namespace: str, name: str) -> ExistingSecret | None:
        """The Secret, read once until it is written; None if there is none."""
        if (namespace, name) not in self._read:
            found = self._call(f"{namespace}/{name}", self._api.read_namespaced_secret, name, namespace)
            self._read[namespace, name] = self._checked(found) if found else None
        return self._read[namespace, name]

    def write(
        self,
        template: SecretTemplate,
        data: Mapping[str, str | None],
        *,
        labels: Mapping[str, str | None],
        expected: ExistingSecret | None,
        annotations: Mapping[str, str | None] = _NONE,
    ) -> None:
        """Create the Secret, or merge keys, labels and annotations into ``expected``; a value of None removes its key.

        Raises:
            ConflictError: it is not as ``expected`` any more.
        """
        # Before the request: after a failed write nothing is known of the Secret.
        self._read.pop((template.namespace, template.name), None)
        noted = {"annotations": dict(annotations)} if annotations else {}
        body: dict[str, Any] = {
            "metadata": {"name": template.name, "labels": dict(labels), **noted},
            "type": template.type,
            "data": {key: None if value is None else _encoded(value) for key, value in data.items()},
        }
        where = f"{template.namespace}/{template.name}"
        # Created, not applied: a Secret that appeared meanwhile answers 409 instead of being overwritten.
        if expected is None:
            self._call(where, self._api.create_namespaced_secret, template.namespace, body, field_manager=MANAGER)
            return
        # The API server refuses the patch if the Secret was written since it was read.
        body["metadata"]["resourceVersion"] = expected.version
        patch = self._api.patch_namespaced_secret
        self._call(where, patch, template.name, template.namespace, body, field_manager=MANAGER)

    def delete(self, namespace: str, name: str) -> None:
        """Delete the Secret; fine if it is gone."""
        self._read.pop((namespace, name), None)
        self._call(f"{namespace}/{name}", self._api.delete_namespaced_secret, name, namespace)

    def _checked(self, found: Any) -> ExistingSecret:
        # The client takes every answer with 200 for a Secret, also the page of a login in between.
        if not found.metadata:
            host = self._api.api_client.configuration.host
            raise UnreachableError(f"what answers at {host} is not Kubernetes", remedy=NOT_KUBERNETES)
        return _found(found)

    def _call(self, where: str, request: Callable[..., Any], *arguments: Any, **options: str) -> Any:
        if self._unreachable:
            raise self._unreachable
        timeout = (self._settings.connect_timeout_seconds, self._settings.read_timeout_seconds)
        try:
            return self._retrying(request, *arguments, _request_timeout=timeout, **options)
        except ApiException as error:
            # On creation 404 means that the namespace is missing, on all else that the Secret is.
            if error.status == 404 and arguments and request != self._api.create_namespaced_secret:
                return None
            raise _translated(where, error) from None
        except urllib3.exceptions.HTTPError as error:
            self._unreachable = UnreachableError(
                f"cannot reach Kubernetes at {self._api.api_client.configuration.host} ({type(error).__name__})",
                remedy="check KUBECONFIG and bootstrap.kube_context",
            )
            raise self._unreachable from None


def cluster_configuration(context: str | None) -> client.Configuration:
    """How to reach the cluster; whoever asks tries again by itself.

    Raises:
        UsageError: there is no usable kubeconfig.
    """
    configuration = client.Configuration()
    try:
        _load(configuration, context)
    # The client checks little of what it reads: a file that is no kubeconfig gives errors of YAML, or of any kind.
    except Exception as error:
        # Theirs quote lines of the file, which may hold a token.
        why = error if isinstance(error, config.ConfigException) else _kind(error)
        raise UsageError(
            f"there is no usable kubeconfig ({why})",
            remedy="set KUBECONFIG, and bootstrap.kube_context if it has several clusters",
        ) from None
    # urllib3 would try three times by itself, and each of our attempts would be three.
    configuration.retries = False
    return configuration


def _kind(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{error.filename}: {(error.strerror or 'error').lower()}"
    return f"{os.environ.get('KUBECONFIG') or DEFAULT_KUBECONFIG}: {type(error).__name__}"


def _load(configuration: client.Configuration, context: str | None) -> None:
    """The pod's own account where we run in one that has no kubeconfig."""
    location = os.environ.get("KUBECONFIG")
    if not location and not DEFAULT_KUBECONFIG.is_file() and "KUBERNETES_SERVICE_HOST" in os.environ:
        config.load_incluster_config(client_configuration=configuration)
        return
    path = location or str(DEFAULT_KUBECONFIG)
    config.load_kube_config(path, context=context, client_configuration=configuration)


def _transient(error: BaseException) -> bool:
    if isinstance(error, ApiException):
        return error.status in TRANSIENT_STATUS
    return isinstance(error, urllib3.exceptions.HTTPError)


def _translated(where: str, error: ApiException) -> BootstrapError:
    match error.status:
        case 409:
            return ConflictError(f"Secret {where} was changed by another run", remedy="run it again")
        case 401 | 403:
            return RefusedError(
                f"Kubernetes refuses Secret {where} ({error.reason})",
                remedy="the login needs get, create, patch and delete on Secrets there",
            )
        case 404:
            return MissingError(
                f"there is no namespace {where.split('/')[0]} in the cluster",
                remedy="create it first, or let Flux or Argo CD do so",
            )
        case 400 | 422:
            return RefusedError(
                f"Kubernetes does not take Secret {where} ({error.reason})",
                remedy="a Secret's type cannot change; delete it if it is of another type, and run apply again",
            )
    return UnreachableError(
        f"Kubernetes answers {error.status} ({error.reason}) for Secret {where}", remedy="try again later"
    )


def _found(secret: Any) -> ExistingSecret:
    data = {key: _decoded(value) for key, value in (secret.data or {}).items()}
    metadata = secret.metadata
    return ExistingSecret(
        secret.type, metadata.labels or {}, data, metadata.resource_version, metadata.annotations or {}
    )


def _encoded(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def _decoded(value: str) -> str:
    # Keys of others in the same Secret may hold bytes that are no text.
    return base64.b64decode(value).decode(errors="replace")
