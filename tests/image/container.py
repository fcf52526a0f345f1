"""The programs of a built image, run from its root file system as a pod would run them."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pod import Done, Pod
from serving import SERVER_SECRETS, SETTINGS

from testbed.image.built_image import BuiltImage

SECRETS_ROOT = "/var/run/secrets/mlflow"


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container: the image, and the databases, bucket and Secrets of ``pod``."""

    image: BuiltImage
    pod: Pod

    @property
    def temporary(self) -> Path:
        """The folder that it has as /tmp."""
        return self.pod.folder / "container-tmp"

    @property
    def user(self) -> int:
        return int(self.image.config["User"].partition(":")[0])

    @property
    def environment(self) -> Mapping[str, str]:
        """The image's variables, then those of the manifests with the paths that a pod has."""
        folder = str(self.pod.secrets_root)
        settings = {name: value.replace(folder, SECRETS_ROOT) for name, value in self.pod.environment.items()}
        # These three are this machine's; the image has its own.
        ours = {name: value for name, value in settings.items() if name not in {"PATH", "HOME", "TMPDIR"}}
        return {**self.image.environment, **ours, **SETTINGS}

    def mount(self) -> None:
        """Write the Secrets as the kubelet does, readable only by the pod's group, and create the folder for /tmp."""
        self.pod.mount()
        for file, text in SERVER_SECRETS.items():
            path = self.pod.secrets_root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        for path in self.pod.secrets_root.rglob("*"):
            os.chown(path, 0, self.user)
            path.chmod(0o750 if path.is_dir() else 0o440)
        self.pod.secrets_root.chmod(0o755)
        self.temporary.mkdir(exist_ok=True)
        os.chown(self.temporary, self.user, self.user)

    def start(self, *command: str) -> "subprocess.Popen[str]":
        """Start a command; its stdout and stderr are pipes."""
        script = str(Path(__file__).with_name("contain.sh"))
        places = [str(self.image.root), str(self.user), str(self.temporary), str(self.pod.secrets_root)]
        # The image's own PATH has no place in which this machine's unshare would have to be.
        return subprocess.Popen(
            ["/usr/bin/unshare", "--mount", "/bin/sh", script, *places, *command],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *command: str) -> Done:
        """Run a command to its end, at most five minutes."""
        process = self.start(*command)
        stdout, stderr = process.communicate(timeout=300)
        return Done(code=process.returncode, stdout=stdout, stderr=stderr)
