"""doctor, run as an operator does whose kubeconfig leads to the node."""

import json
import os
import sys
from collections.abc import Mapping

from live.commands import run_to_end
from live.node.environment import Environment
from live.node.node import Node, NodeError

Lines = Mapping[str, Mapping[str, str]]
"""The fields of each line, by its name."""


def doctor_lines(environment: Environment, node: Node, *arguments: str, **variables: str) -> Lines:
    """What it says of an environment; there is always a line that fails, since operators are stood in for.

    Raises:
        NodeError: it ended otherwise than with a line that fails.
    """
    folders = ["--environments", str(environment.file.parent), "--output", str(environment.dist)]
    where = ["--environment", environment.name, *folders, "--connect", f"127.0.0.1:{node.https_port}"]
    done = run_to_end(
        [sys.executable, "-c", "from cdk8s_mlflow.console import main; main()", "doctor", "--json", *where, *arguments],
        # Only these: a variable of this shell must not stand in for one that the guides forget.
        environment={
            "PATH": os.environ["PATH"],
            "HOME": "/root",
            "KUBECONFIG": str(node.kubeconfig),
            "SSL_CERT_FILE": str(environment.backing.certificate.ca),
            **environment.backing.administration,
            **variables,
        },
        folder=environment.file.parent,
    )
    if done.returncode != 1:
        raise NodeError(f"doctor ended with {done.returncode}: {done.stderr}")
    return {line["name"]: line for line in json.loads(done.stdout)["lines"]}
