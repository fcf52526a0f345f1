"""An environment on the node: rendered, prepared by bootstrap.py, delivered by Flux, and used through Traefik."""

import html
import json
import re
import ssl
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from cdk8s_mlflow.settings import Settings, load
from live.node.backing import KEYCLOAK_HOST, BackingServices
from live.node.flux import Flux
from live.node.node import Node
from live.provisioning import Bootstrap
from live.users import Realm, User

FORM = re.compile(r'<form[^>]+id="kc-form-login"[^>]+action="([^"]+)"')
KEY_PATHS = {
    "3.6.0": "/api/2.0/mlflow/permissions/users/access-token",
    "3.17.2": "/api/2.0/mlflow/users/access-token",
}


class Through(httpx.BaseTransport):
    """Connects to Traefik on the node, whatever host a request names, as public DNS would.

    A transport for each host: connections are pooled by address, and Traefik chooses by the name in the TLS handshake.
    """

    def __init__(self, port: int, *, verify: ssl.SSLContext) -> None:
        self._port, self._verify = port, verify
        self._by_host: dict[str, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        host = request.url.host
        passed = httpx.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1", port=self._port),
            headers=[*((k, v) for k, v in request.headers.raw if k.lower() != b"host"), (b"Host", host.encode())],
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )
        return self._by_host.setdefault(host, httpx.HTTPTransport(verify=self._verify)).handle_request(passed)

    def close(self) -> None:
        for transport in self._by_host.values():
            transport.close()


@dataclass(kw_only=True)
class Deployment:
    """One environment, ``name``, in ``folder``, which has its file, its ``dist`` and nothing else."""

    name: str
    node: Node
    backing: BackingServices
    flux: Flux
    folder: Path

    @property
    def file(self) -> Path:
        return self.folder / f"{self.name}.yaml"

    @property
    def settings(self) -> Settings:
        return load(self.file)

    @property
    def namespace(self) -> str:
        return self.settings.namespace

    @property
    def bootstrap(self) -> Bootstrap:
        return Bootstrap(file=self.file, administration=self.backing.administration)

    def render(self, settings: Mapping[str, Any]) -> None:
        """Write the environment's file, with the addresses that bootstrap.py uses from here, and its manifests."""
        reached = {
            "keycloak_url": self.backing.keycloak.url,
            "s3_endpoint": self.backing.minio.url,
            "read_timeout_seconds": 180,
        }
        # JSON is YAML, too.
        self.file.write_text(json.dumps({**settings, "bootstrap": reached}))
        command = [sys.executable, "-m", "cdk8s_mlflow.synth.worker", str(self.folder / "dist"), str(self.file)]
        subprocess.run(command, check=True)

    def prepare(self) -> None:
        """What an operator does once: bootstrap, the namespace, a private authority and a certificate in it."""
        for part in ("secrets", "keycloak", "minio"):
            self.bootstrap.succeed("apply", part, *(["--create-realm"] if part == "keycloak" else []))
        (namespace,) = (self.folder / "dist" / self.name / "application").glob("Namespace.*.yaml")
        self.node.apply(namespace)
        tls, where = self.backing.certificate, ["--namespace", self.namespace]
        self.node.kubectl("create", "configmap", "local-authority", f"--from-file=ca.crt={tls.ca}", *where)
        self.node.kubectl(
            "create", "secret", "tls", "mlflow-tls", f"--cert={tls.certificate}", f"--key={tls.key}", *where
        )

    def deliver(self) -> None:
        """Apply the delivery objects and publish ``dist``, then wait until both Kustomizations are ready."""
        self.node.apply(self.folder / "dist" / self.name / "delivery/flux")
        self.publish()

    def publish(self) -> None:
        """Commit ``dist``, as it were."""
        self.flux.publish(self.folder / "dist", self.name, source=self.source)
        for part in ("database", "application"):
            self.flux.reconcile(f"{self.source}-{part}")
            self.flux.wait_ready(f"{self.source}-{part}")

    @property
    def source(self) -> str:
        """Name of Flux's GitRepository."""
        return self.settings.delivery_name(self.name)

    def user(self, name: str) -> User:
        """A user of the group of users, known to Keycloak."""
        user = User(name=name, group=self.settings.authentication.user_group)
        Realm(settings=self.settings, server=self.backing.keycloak).welcome(user)
        return user

    def client(self, **options: Any) -> httpx.Client:
        """A client at the public address."""
        transport = Through(self.node.https_port, verify=self.backing.certificate.context())
        return httpx.Client(
            transport=transport,
            base_url=f"https://{self.settings.ingress.host}",
            timeout=120,
            follow_redirects=True,
            **options,
        )

    def log_in(self, client: httpx.Client, user: User) -> httpx.Response:
        """Through Keycloak's page."""
        page = client.get("/login")
        form = FORM.search(page.text)
        assert form, f"no login form at {page.url}: {page.status_code} {page.text[:300]}"
        assert page.url.host == KEYCLOAK_HOST or KEYCLOAK_HOST in form[1]
        return client.post(html.unescape(form[1]), data={"username": user.name, "password": user.password})

    def access_key(self, user: User) -> str:
        """A fresh access key of ``user``."""
        with self.client() as client:
            self.log_in(client, user)
            expiration = (datetime.now(UTC) + timedelta(days=30)).isoformat()
            body = {"username": user.email, "expiration": expiration}
            answer = client.patch(KEY_PATHS[self.settings.release], json=body)
            assert answer.status_code == 200, answer.text
            return str(answer.json()["token"])

    def pods(self, component: str) -> list[dict[str, Any]]:
        """Pods of a component that are not ending."""
        selector = f"app.kubernetes.io/component={component}"
        listed = self.node.get("pods", "--namespace", self.namespace, "--selector", selector)["items"]
        return [pod for pod in listed if "deletionTimestamp" not in pod["metadata"]]
