"""Rows of earlier installations may hold any location: only what the caller may read is served from one."""

import io
from pathlib import Path

import pytest
from attacked import new_site, run_inside
from buckets import bucket_of
from serving import Site

pytestmark = [pytest.mark.servers, pytest.mark.either_release]


def test_stored_locations_lead_to_own_files_only(users_once: Site, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    allowed = bucket_of(users_once.pod.bucket.server)
    allowed.client.make_bucket(allowed.name)
    allowed.client.put_object(allowed.name, "old/secret.txt", io.BytesIO(b"ours"), 4)
    with new_site(users_once, MLFLOW_SSO_ALLOWED_LOCATIONS=f"{allowed.uri}/old") as site:
        found = run_inside(site, "ask_stored_locations.py", str(tmp_path), f"{allowed.uri}/old")

    assert found["served"] == []
    assert found["refused"] == []
