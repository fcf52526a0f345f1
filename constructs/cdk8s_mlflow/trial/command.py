"""What `cdk8s-mlflow try` does: namespace, backing services, bootstrap, MLflow; and their removal."""

import base64
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cdk8s_mlflow.annotations import RESTRICTED
from cdk8s_mlflow.settings import Settings, load
from cdk8s_mlflow.trial.certificates import issue
from cdk8s_mlflow.trial.errors import TrialError
from cdk8s_mlflow.trial.kubectl import Kubectl
from cdk8s_mlflow.trial.settings import (
    AUTHORITY,
    CERTIFICATE,
    ENVIRONMENT,
    KEYCLOAK_FILE,
    KEYCLOAK_HOST,
    MLFLOW_HOST,
    PASSWORDS,
    REALM,
    REALM_FILE,
    REDIS_FILE,
    Trial,
    document,
    service,
)

MARK = "cdk8s-mlflow/try"
"""Label of a namespace that this command may change and delete."""
USERS = ("admin", "user", "outsider")
"""An administrator of MLflow, a user, and one in no group."""

_BOOTSTRAP = "import sys; from mlflow_bootstrap.cli import main; main(sys.argv[1:], program='bootstrap')"
Say = Callable[[str], None]


def apply(trial: Trial, say: Say) -> str:
    """Apply everything, or bring it up to date; how to use it.

    Raises:
        TrialError: the cluster cannot be used, or something does not become ready in time.
    """
    kubectl = Kubectl(namespace=trial.namespace)
    password = _Run(trial=trial, kubectl=kubectl, say=say).run()
    return _description(trial, password)


def remove(namespace: str) -> None:
    """Delete the namespace and all that is in it.

    Raises:
        TrialError: it is not one that :func:`apply` has created, or kubectl fails.
    """
    kubectl = Kubectl(namespace=namespace)
    if _found(kubectl):
        kubectl.run("delete", "namespace", namespace)


def _found(kubectl: Kubectl) -> bool:
    """Whether the namespace exists and is ours; raises ``TrialError`` if it exists and is not."""
    found = kubectl.get("namespace", kubectl.namespace)
    if found and found["metadata"].get("labels", {}).get(MARK) != "true":
        raise TrialError(
            f"namespace {kubectl.namespace} belongs to something else: it has no label {MARK}; choose another one "
            "with --namespace"
        )
    return found is not None


@dataclass(frozen=True, kw_only=True)
class _Run:
    trial: Trial
    kubectl: Kubectl
    say: Say

    def run(self) -> Mapping[str, str]:
        """The passwords, by what or whose they are."""
        kubectl, trial = self.kubectl, self.trial
        self.say(f"context {kubectl.run('config', 'current-context').strip()}, namespace {trial.namespace}")
        _found(kubectl)
        password, tls = self._passwords(), self._certificate()
        # The Secrets first: pods of the backing services would wait for their mounts.
        self._apply(_namespace(trial.namespace), *self._secrets(password, tls))
        with tempfile.TemporaryDirectory() as folder:
            self._start_backing(Path(folder), tls["ca.crt"])
            targets = dict(_FORWARDED.values())
            with kubectl.forwarded(targets) as ports:
                named = {name: ports[service] for name, (service, _) in _FORWARDED.items()}
                file = self._environment_file(Path(folder), named)
                settings = load(file)
                self._bootstrap(file, settings, password, tls["ca.crt"])
            self.say("the bootstrap has created client, groups, databases, bucket and Secrets")
            self._start_mlflow(settings, Path(folder))
        return password

    def _apply(self, *objects: Mapping[str, Any]) -> None:
        # JSON is YAML, too.
        self.kubectl.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def _passwords(self) -> dict[str, str]:
        """Those of an earlier run, and new ones for the rest."""
        kept = _secret(self.kubectl, PASSWORDS)
        names = ("postgres", "minio", "keycloak", "redis", *USERS)
        return {name: kept.get(name) or secrets.token_urlsafe(12) for name in names}

    def _certificate(self) -> dict[str, str]:
        """That of an earlier run, or a new one."""
        kept = _secret(self.kubectl, CERTIFICATE)
        if kept:
            return kept
        issued = issue(MLFLOW_HOST, KEYCLOAK_HOST, service("postgres", self.trial.namespace))
        pem = {"ca.crt": issued.authority, "tls.crt": issued.certificate, "tls.key": issued.key}
        return {key: text.decode() for key, text in pem.items()}

    def _secrets(self, password: Mapping[str, str], tls: Mapping[str, str]) -> list[dict[str, Any]]:
        contents: dict[str, Mapping[str, str]] = {
            PASSWORDS: password,
            CERTIFICATE: tls,
            REALM_FILE: {"realm.json": json.dumps(_realm(password))},
            KEYCLOAK_FILE: {
                "keycloak.conf": f"bootstrap-admin-username=admin\nbootstrap-admin-password={password['keycloak']}\n"
            },
            # In a file, not an argument, which every user of the node could read; `save ""` writes nothing to the disk.
            REDIS_FILE: {"redis.conf": f'requirepass {password["redis"]}\nsave ""\n'},
        }
        return [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": name, "namespace": self.trial.namespace},
                "stringData": data,
            }
            for name, data in contents.items()
        ]

    def _start_backing(self, folder: Path, authority: str) -> None:
        _render_backing(self.trial, folder, authority=authority)
        self.kubectl.apply(_texts(folder / "backing"))
        self.say("waiting for PostgreSQL, MinIO, Keycloak, Redis and Traefik; their images are pulled first")
        self.kubectl.wait_ready(*(f"try-{name}" for name in self.trial.images), seconds=900)

    def _environment_file(self, folder: Path, ports: Mapping[str, int]) -> Path:
        # The address of a Service is known only once it exists, and pods need it as a host alias.
        proxy = self.kubectl.get("service", "try-traefik") or {}
        file = folder / f"{ENVIRONMENT}.yaml"
        file.write_text(json.dumps(document(self.trial, proxy=proxy["spec"]["clusterIP"], ports=ports)))
        return file

    def _bootstrap(self, file: Path, settings: Settings, password: Mapping[str, str], ca: str) -> None:
        authority = file.with_name("ca.crt")
        authority.write_text(ca)
        login = {
            "KEYCLOAK_ADMIN": "admin",
            "KEYCLOAK_ADMIN_PASSWORD": password["keycloak"],
            "PGUSER": "postgres",
            "PGPASSWORD": password["postgres"],
            "PGSSLROOTCERT": str(authority),
            "MINIO_ADMIN_USER": "admin",
            "MINIO_ADMIN_PASSWORD": password["minio"],
            "MLFLOW_POSTGRES_CA_CRT_FILE": str(authority),
            "MLFLOW_SERVER_REDIS_PASSWORD": password["redis"],
        }
        groups = settings.authentication
        commands = [
            ["apply"],
            ["add-user-to-group", "admin", groups.admin_group],
            ["add-user-to-group", "user", groups.user_group],
        ]
        for command in commands:
            where = ["--environment", file.stem, "--environments", str(file.parent)]
            done = subprocess.run(
                [sys.executable, "-c", _BOOTSTRAP, *command, *where],
                env={**os.environ, **login},
                cwd=file.parent,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise TrialError(f"`bootstrap {command[0]}` failed:\n{(done.stderr + done.stdout).strip()}")

    def _start_mlflow(self, settings: Settings, folder: Path) -> None:
        from cdk8s_mlflow.synth.render import render

        render(settings, environment=ENVIRONMENT, folder=folder / "dist")
        self.kubectl.apply(_texts(folder / "dist" / "application"))
        self.say(f"waiting for MLflow {settings.release}, image {settings.image_reference}")
        self.kubectl.wait_ready("mlflow", seconds=900)


_FORWARDED = {
    "keycloak": ("try-keycloak", 8080),
    "postgres": ("try-postgres", 5432),
    "minio": ("try-minio", 9000),
}


def _namespace(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {MARK: "true", **RESTRICTED}},
    }


def _secret(kubectl: Kubectl, name: str) -> dict[str, str]:
    """Its values; none if it does not exist."""
    data = (kubectl.get("secret", name) or {}).get("data", {})
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def _realm(password: Mapping[str, str]) -> dict[str, Any]:
    users = [
        {
            "username": name,
            "email": f"{name}@example.com",
            "emailVerified": True,
            "enabled": True,
            "firstName": name.capitalize(),
            "lastName": "Example",
            "credentials": [{"type": "password", "value": password[name], "temporary": False}],
        }
        for name in USERS
    ]
    return {"realm": REALM, "enabled": True, "users": users}


def _routes(namespace: str) -> str:
    """Traefik's dynamic configuration: both hosts, whatever port they are asked with."""
    backends = {
        "mlflow": (MLFLOW_HOST, f"http://mlflow.{namespace}.svc:80"),
        "keycloak": (KEYCLOAK_HOST, f"http://{service('keycloak', namespace)}:8080"),
    }
    # X-Forwarded-Host has the port already.
    forwarded = {"customRequestHeaders": {"X-Forwarded-Prefix": "", "X-Forwarded-Port": ""}}
    return json.dumps(
        {
            "http": {
                "routers": {
                    name: {
                        "rule": f"Host(`{host}`)",
                        "entryPoints": ["websecure"],
                        "service": name,
                        "tls": {},
                        **({"middlewares": ["forwarded"]} if name == "mlflow" else {}),
                    }
                    for name, (host, _) in backends.items()
                },
                "middlewares": {"forwarded": {"headers": forwarded}},
                "services": {
                    name: {"loadBalancer": {"servers": [{"url": url}]}} for name, (_, url) in backends.items()
                },
            },
            "tls": {"certificates": [{"certFile": "/tls/tls.crt", "keyFile": "/tls/tls.key"}]},
        }
    )


def _render_backing(trial: Trial, folder: Path, *, authority: str) -> None:
    from cdk8s_mlflow.synth.render import use_packaged_node

    use_packaged_node()
    # Importing cdk8s starts Node.js.
    from cdk8s import App

    from cdk8s_mlflow.trial.backing import BackingChart

    app = App(outdir=str(folder / "backing"))
    BackingChart(app, "backing", trial=trial, authority=authority, routes=_routes(trial.namespace))
    app.synth()


def _texts(folder: Path) -> str:
    return "\n---\n".join(file.read_text() for file in sorted(folder.glob("*.yaml")))


def _description(trial: Trial, password: Mapping[str, str]) -> str:
    namespace, groups = trial.namespace, {"outsider": "  in no group: refused"}
    users = [f"  {name + '@example.com':<20} {password[name]}{groups.get(name, '')}" for name in USERS]
    return "\n".join(
        [
            f"MLflow      https://{MLFLOW_HOST}:{trial.port}",
            f"Keycloak    https://{KEYCLOAK_HOST}:{trial.port}/admin/  admin {password['keycloak']}",
            f"reach them  kubectl port-forward --namespace {namespace} service/try-traefik {trial.port}:{trial.port}",
            f"authority   kubectl get configmap {AUTHORITY} --namespace {namespace} "
            "--output 'jsonpath={.data.ca\\.crt}'",
            f"remove      cdk8s-mlflow try --remove --namespace {namespace}",
            "log in as",
            *users,
        ]
    )
