"""MLflow's own server without a login, in a pod like the tracking server's, on its databases and behind Traefik."""

import json
import sys
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from live.servers import ServerError
from testbed.node.client import AUTHORITY
from testbed.system import System

NAMESPACE = "plain"
NAME = "mlflow"
HOST = "plain.localhost"
SETTINGS = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "PGTZ": "UTC",
    "HOME": "/tmp",  # noqa: S108
}


@dataclass(kw_only=True)
class PlainServer:
    """``mlflow server`` with one worker; ``url`` is its public address."""

    system: System

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.system.node.https_port}"

    def __enter__(self) -> Self:
        node, where = self.system.node, ["--namespace", NAMESPACE]
        node.kubectl("create", "namespace", NAMESPACE)
        authority = f"--from-file=ca.crt={self.system.backing.certificate.ca}"
        node.kubectl("create", "configmap", "authority", authority, *where)
        tls = self.system.backing.certificate
        node.kubectl("create", "secret", "tls", "tls", f"--cert={tls.certificate}", f"--key={tls.key}", *where)
        items = {"apiVersion": "v1", "kind": "List", "items": [self._pod(), SERVICE, INGRESS]}
        node.kubectl("create", "--filename", "-", *where, stdin=json.dumps(items))
        try:
            node.kubectl("wait", "--for=condition=Ready", f"pod/{NAME}", "--timeout=300s", *where)
        except ServerError:
            # The namespace ends with the bench, and what the pod said with it.
            print(node.kubectl("logs", NAME, "--tail=40", *where), file=sys.stderr)
            raise
        with self.system.client() as client:
            # Traefik has the route a little after the pod is ready.
            node.wait(self.url, lambda: client.get(f"{self.url}/health").status_code == 200)
        return self

    def _pod(self) -> dict[str, Any]:
        deployment = self.system.node.get("deployment", "mlflow", "--namespace", self.system.workloads.namespace)
        (like,) = deployment["spec"]["template"]["spec"]["containers"]
        # In a pod, whose address is not known before.
        address = ["--host", "0.0.0.0", "--port", "5000", "--workers", "1"]  # noqa: S104
        stores = ["--backend-store-uri", self._database(), "--artifacts-destination", "/tmp/artifacts"]  # noqa: S108
        container = {
            "name": NAME,
            "image": like["image"],
            "resources": like["resources"],
            "command": ["mlflow", "server", *address, *stores, "--allowed-hosts", "*"],
            "env": [{"name": name, "value": value} for name, value in SETTINGS.items()],
            "readinessProbe": {"httpGet": {"path": "/health", "port": 5000}, "periodSeconds": 1},
            "volumeMounts": [{"name": "authority", "mountPath": AUTHORITY.rpartition("/")[0]}],
        }
        volumes = [{"name": "authority", "configMap": {"name": "authority"}}]
        metadata = {"name": NAME, "labels": {"app": NAME}}
        spec = {"terminationGracePeriodSeconds": 1, "containers": [container], "volumes": volumes}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}

    def _database(self) -> str:
        database, backing = self.system.settings.database, self.system.backing
        key = f"{self.system.settings.secrets.vault_prefix}/postgres"
        user, password = (quote(backing.value(key, name) or "", safe="") for name in ("username", "password"))
        place = f"{database.address}:{database.port}/{database.name}"
        return f"postgresql+psycopg2://{user}:{password}@{place}?sslmode=verify-full&sslrootcert={AUTHORITY}"

    def stop(self) -> None:
        """Delete it; the second time does nothing."""
        self.system.node.kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")

    def __exit__(self, *_: object) -> None:
        self.stop()


SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": NAME},
    "spec": {"selector": {"app": NAME}, "ports": [{"port": 80, "targetPort": 5000}]},
}
INGRESS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": NAME, "annotations": {"traefik.ingress.kubernetes.io/router.tls": "true"}},
    "spec": {
        "ingressClassName": "traefik",
        "tls": [{"hosts": [HOST], "secretName": "tls"}],
        "rules": [
            {
                "host": HOST,
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": NAME, "port": {"number": 80}}},
                        }
                    ]
                },
            }
        ],
    },
}
