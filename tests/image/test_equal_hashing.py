"""A refused key costs the same hash whether its name is known or not, so that its time tells nothing."""

import json
from dataclasses import replace

import pytest
from pod import Pod
from serving import AS_SERVER, SETTINGS, mount_server_secrets

pytestmark = pytest.mark.servers

HASHED = (
    AS_SERVER
    + """
import json
from datetime import UTC, datetime, timedelta
from werkzeug import security
from mlflow_sso.serve.application import app
from mlflow_oidc_auth.store import store
from sqlalchemy import text

NEW = (
    "INSERT INTO users (username, display_name, is_admin, is_service_account{more}) "
    "VALUES (:name, :name, false, false{values})"
)
OLD_KEY = (
    "INSERT INTO user_tokens (name, token_hash, expires_at, user_id, created_at) "
    "VALUES ('old', :hash, :expiry, :id, now())"
)

def create(name, *, days):
    expiry = datetime.now(UTC).replace(tzinfo=None) + timedelta(days=days)
    row = {"name": name, "hash": security.generate_password_hash("right"), "expiry": expiry}
    with store.engine.begin() as database:
        if hasattr(store, "user_token_repo"):
            user = database.execute(text(NEW.format(more="", values="") + " RETURNING id"), row).scalar()
            database.execute(text(OLD_KEY), row | {"id": user})
        else:
            hashes = {"more": ", password_hash, password_expiration", "values": ", :hash, :expiry"}
            database.execute(text(NEW.format(**hashes)), row)

create("carried@example.com", days=1)
create("expired@example.com", days=-1)
hashed, hash_internal = [], security._hash_internal
def counted(method, salt, password):
    hashed.append(method)
    return hash_internal(method, salt, password)
security._hash_internal = counted
found = {}
for name in ("carried", "expired", "unknown"):
    for kind, key in (("old", "wrong"), ("new", "mlf_01234567_" + "x" * 43)):
        hashed.clear()
        assert not store.authenticate_user(f"{name}@example.com", key)
        found[f"{name} {kind}"] = list(hashed)
hashed.clear()
assert store.authenticate_user("carried@example.com", "right")
found["right"] = list(hashed)
print(json.dumps(found))
"""
)
CARRIED_OVER = "scrypt:32768:8:1"


def test_refused_keys_cost_the_same_hash(migrated_pod: Pod) -> None:
    pod = replace(migrated_pod, settings=SETTINGS)
    mount_server_secrets(pod)

    done = pod.python(HASHED, str(pod.secrets_root))

    assert done.code == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["right"] == found["carried old"] == found["expired old"] == found["unknown old"] == [CARRIED_OVER]
    assert found["carried new"] == found["expired new"] == found["unknown new"]
    assert len(found["unknown new"]) == 1
