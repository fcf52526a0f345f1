"""Who may do what through Traefik, request by request, for both releases."""

from collections.abc import Callable

import httpx
import pytest
from known_holes import KNOWN_HOLES
from people import Member, join
from permission_rows import rows_of
from permission_table import differences, fill, laid_out, roles
from places import grant, make_place
from row import MLFLOW

from testbed.system import System

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def owner(system: System) -> Member:
    """Somebody who has made something."""
    return join(system)


# Who is served what is asked of both releases' servers for each change, by the tests of the image.
@pytest.mark.either_release
def test_requests_serve_only_users_with_permission(
    system: System, record_property: Callable[[str, object], None]
) -> None:
    release = system.settings.release
    rows = rows_of(release)

    cells = fill(rows, roles(system))

    record_property("table", f"release {release}, through Traefik\n{laid_out(cells, KNOWN_HOLES[release])}")
    assert differences(cells, {**{row.name: row.needs for row in rows}, **KNOWN_HOLES[release]}) == []


def test_creators_manage_experiments_models_and_prompts(owner: Member) -> None:
    place = make_place(owner.http)

    permissions = f"{MLFLOW}/permissions/users/{owner.email}"
    experiments = _granted(owner.http, f"{permissions}/experiments")
    models = _granted(owner.http, f"{permissions}/registered-models")
    prompts = _granted(owner.http, f"{permissions}/prompts")

    assert experiments[place["secret"]] == "MANAGE"
    assert models[place["model"]] == "MANAGE"
    assert prompts[place["prompt"]] == "MANAGE"


def test_grant_opens_until_it_is_revoked(system: System, owner: Member) -> None:
    place, other = make_place(owner.http), join(system)
    # The same request three times: a decision that is remembered too long shows in the last one.
    read = f"{MLFLOW}/runs/get?run_id={place['run']}"
    permission = f"{MLFLOW}/permissions/users/{other.email}/experiments/{place['experiment']}"

    before = other.http.get(read)
    grant(owner.http, place, other.email, "READ")
    granted = other.http.get(read)
    taken_back = owner.http.delete(permission)
    after = other.http.get(read)

    assert (before.status_code, granted.status_code, taken_back.status_code, after.status_code) == (403, 200, 200, 403)


def test_who_was_granted_manage_may_grant_on(system: System, owner: Member) -> None:
    place, manager, third = make_place(owner.http), join(system), join(system)
    grant(owner.http, place, manager.email, "MANAGE")

    grant(manager.http, place, third.email, "EDIT")

    # EDIT and no more: who grants on must not hand out what the grant did not say.
    metric = {"run_id": place["run"], "key": "m", "value": 1, "timestamp": 1}
    assert third.http.post(f"{MLFLOW}/runs/log-metric", json=metric).status_code == 200
    assert third.http.post(f"{MLFLOW}/runs/delete", json={"run_id": place["run"]}).status_code == 403


def _granted(client: httpx.Client, path: str) -> dict[str, str]:
    """Permission by name of what is listed."""
    return {item["name"]: item["permission"] for item in client.get(path).raise_for_status().json()}
