"""In a real browser, on both releases: an access key from its page, and the pages of what the client logged with it."""

from pathlib import Path

import pytest
from browser_user import PATIENCE, BrowserUser
from client import log_a_run
from key_pages import MAKE_KEY
from pictures import LARGEST, Pictures, pictures
from playwright.sync_api import expect

from live.users import User
from testbed.system import System

pytestmark = [pytest.mark.servers, pytest.mark.either_release]

NO_GATEWAY = "/gateway-proxy?"
"""The page of an experiment asks whether there is an AI gateway; on 3.17.2 only who manages it may."""


@pytest.fixture
def album(tmp_path: Path) -> Pictures:
    """Where pictures of the pages go."""
    return pictures(tmp_path)


def test_key_page_gives_a_key_for_clients(
    system: System, release: str, new_user: User, person: BrowserUser, album: Pictures
) -> None:
    page, experiment = person.page, f"iris-{new_user.name}"
    person.open("/login")
    expect(person.password_field).to_be_visible(timeout=PATIENCE)
    assert album.take(page, "login") < LARGEST
    person.log_in(new_user)
    assert album.take(page, "permissions") < LARGEST

    key = MAKE_KEY[release](person)
    number, run = log_a_run(system, new_user, key, experiment=experiment)

    person.open("/#/experiments")
    expect(page.get_by_role("link", name=experiment)).to_be_visible(timeout=PATIENCE)
    assert album.take(page, "experiments") < LARGEST
    person.open(f"/#/experiments/{number}/runs")
    expect(page.get_by_text("first-run").first).to_be_visible(timeout=PATIENCE)
    person.open(f"/#/experiments/{number}/runs/{run}")
    expect(page.get_by_text("random-forest").first).to_be_visible(timeout=PATIENCE)
    person.open(f"/#/experiments/{number}/runs/{run}/artifacts")
    # The page fetches the text by a script, with the session and not the key that wrote it.
    page.get_by_text("labels.txt").first.click()
    expect(page.get_by_text("setosa, versicolor, virginica")).to_be_visible(timeout=PATIENCE)
    assert album.take(page, "run") < LARGEST
    # Pages look right with refused requests behind them, so what the browser noted counts, too.
    assert [text for text in person.complaints if NO_GATEWAY not in text] == []
