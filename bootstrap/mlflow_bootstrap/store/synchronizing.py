"""Has External Secrets fetch an entry now, in the order in which its Secrets are needed."""

import time
from collections.abc import Iterator

import urllib3
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from cdk8s_mlflow.contract import SecretTemplate, secret_templates
from cdk8s_mlflow.settings import Settings
from mlflow_bootstrap.errors import UsageError
from mlflow_bootstrap.store.cluster import cluster_configuration

_TIMEOUT = (3, 6)
"""Seconds to connect, and for an answer."""


def synchronize(settings: Settings, entry: str) -> Iterator[str]:
    """Mark the entry's ExternalSecrets; a line for each that could not be marked, with the command to do it by hand.

    PostgreSQL's own Secret comes first: a pod that logs in with a password which the role does not have is refused.
    """
    wanted = [template for template in secret_templates(settings) if template.entry == entry]
    for template in sorted(wanted, key=lambda one: one.part != "database"):
        reason = _mark(settings, template)
        if reason:
            yield (
                f"cannot have External Secrets fetch {template.namespace}/{template.name} now ({reason}): kubectl -n "
                f'{template.namespace} annotate externalsecret {template.name} force-sync="$(date +%s)" --overwrite'
            )


def _mark(settings: Settings, template: SecretTemplate) -> str:
    # Another value than before is all that External Secrets looks for.
    body = {"metadata": {"annotations": {"force-sync": str(time.time_ns())}}}
    try:
        api = client.CustomObjectsApi(client.ApiClient(cluster_configuration(settings.bootstrap.kube_context)))
        where = ("external-secrets.io", "v1", template.namespace, "externalsecrets", template.name)
        api.patch_namespaced_custom_object(*where, body, _request_timeout=_TIMEOUT)
    except UsageError as error:
        return error.text
    except ApiException as error:
        return str(error.reason)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return type(error).__name__
    return ""
