"""One request again and again, for Locust.

Run by load.py in an environment of its own, which tells it all by variables.
"""

import json
import os

# Locust has its file's folder in the module path.
from local_user import LocalUser
from locust import task

REQUEST = json.loads(os.environ["LOAD_REQUEST"])


class Client(LocalUser):
    """Asks again as soon as it has its answer."""

    @task
    def ask(self) -> None:
        """Send it once; any other answer than 200 counts as failed."""
        headers = {"Content-Type": "application/json", **REQUEST["headers"]}
        with self.client.post(
            REQUEST["path"], data=REQUEST["body"], headers=headers, name=REQUEST["path"], catch_response=True
        ) as answer:
            if answer.status_code != 200:
                answer.failure(
                    f"{answer.status_code}: {answer.text[:200]}" if answer.status_code else str(answer.error)
                )
