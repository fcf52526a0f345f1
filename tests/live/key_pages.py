"""How a person makes an access key on the pages of each release, starting from where they land after login."""

from collections.abc import Callable

from browser_user import PATIENCE, BrowserUser
from playwright.sync_api import Locator, expect


def _with_5_6_1(person: BrowserUser) -> str:
    person.page.get_by_text("Create access key").click()
    dialog = person.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Request Token").click()
    return _shown(dialog.get_by_role("textbox", name="Access Key"))


def _with_11_0_2(person: BrowserUser) -> str:
    person.page.get_by_role("link", name="Tokens").click()
    person.page.get_by_role("button", name="Create token").click()
    dialog = person.page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("laptop")
    dialog.get_by_role("button", name="Create token").click()
    return _shown(dialog.get_by_role("textbox", name="Token", exact=True))


def _shown(field: Locator) -> str:
    expect(field).not_to_have_value("", timeout=PATIENCE)
    return field.input_value()


MAKE_KEY: dict[str, Callable[[BrowserUser], str]] = {"3.6.0": _with_5_6_1, "3.17.2": _with_11_0_2}
"""The key that the page shows, once, by release."""
