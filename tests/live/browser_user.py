"""Somebody with a browser: logs in through Keycloak's page, and notes what goes wrong on the pages afterwards."""

from dataclasses import dataclass, field

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, Response, expect
from web_session import CURRENT_USER

from live.users import User
from testbed.system import System

PATIENCE = 300_000
"""Milliseconds until something must be there, on a loaded machine."""

LEFT_BEHIND = "net::ERR_ABORTED"
"""Fate of a request whose page was left before the answer came."""

FETCH = "path => fetch(path).then(async answer => ({status: answer.status, text: await answer.text()}))"
FETCH_JSON = "path => fetch(path).then(answer => answer.json())"


@dataclass(kw_only=True)
class BrowserUser:
    """Who sits in front of ``page``; ``complaints`` has console errors and failed requests since the last login."""

    system: System
    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._note_message)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("requestfailed", self._note_failure)
        self.page.on("response", self._note_answer)

    def _note_message(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.complaints.append(f"console: {message.text} ({message.location['url']})")

    def _note_failure(self, request: Request) -> None:
        # Whoever goes to the next page ends what the last one still asked for.
        if request.failure != LEFT_BEHIND:
            self.complaints.append(f"{request.failure}: {request.method} {request.url}")

    def _note_answer(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.request.method} {response.url}")

    @property
    def password_field(self) -> Locator:
        """Where Keycloak wants the password."""
        return self.page.locator("input#password")

    def open(self, path: str) -> Response | None:
        """Type an address of MLflow's."""
        return self.page.goto(f"{self.system.url}{path}")

    def sign_in(self, user: User) -> None:
        """Follow the login link and fill in Keycloak's page."""
        self.open("/login")
        self.page.get_by_label("Username or email").fill(user.name)
        self.password_field.fill(user.password)
        self.page.get_by_role("button", name="Sign In").click()

    def log_in(self, user: User) -> None:
        """Sign in, and see the permissions page, where the environment lets everybody land."""
        self.sign_in(user)
        self.page.wait_for_url(f"{self.system.url}/oidc/ui/**")
        expect(self.page.get_by_text("Experiments").first).to_be_visible(timeout=PATIENCE)
        # Before the login a page may be refused what it asks for.
        self.complaints.clear()

    def fetch(self, path: str) -> tuple[int, str]:
        """Status and body of an answer to a script of the page's."""
        answer = self.page.evaluate(FETCH, path)
        return answer["status"], answer["text"]

    def whoami(self) -> dict[str, object]:
        """What MLflow knows of whoever is logged in."""
        answer: dict[str, object] = self.page.evaluate(FETCH_JSON, CURRENT_USER[self.system.settings.release])
        return answer
