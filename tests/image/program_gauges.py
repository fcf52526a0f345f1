"""What the metrics port says of the latest runs of programs."""

import json

from pod import Pod

READ = """
import json
from mlflow_sso.schemas import schemas
from mlflow_sso.secrets_root import DEFAULT_ROOT, SecretsRoot
from mlflow_sso.serve.gauges import COUNTED, ENDED, SUCCEEDED, DatabaseGauges

values = DatabaseGauges(schemas(SecretsRoot(DEFAULT_ROOT))).read()
print(json.dumps([{"/".join(labels): value for labels, value in values[gauge].items()}
                  for gauge in (ENDED, SUCCEEDED, COUNTED)]))
"""


def gauges(pod: Pod) -> list[dict[str, float]]:
    """When each program ended, when it succeeded, and how much it did."""
    done = pod.python(READ)
    assert done.code == 0, done.stderr
    found: list[dict[str, float]] = json.loads(done.stdout)
    return found
