"""What Keycloak's refusals mean: which are worth another attempt, and what a reader is told of the others."""

import json

from keycloak.exceptions import KeycloakConnectionError, KeycloakError

from mlflow_bootstrap.errors import BootstrapError, ConflictError, MissingError, RefusedError, UnreachableError
from mlflow_bootstrap.retry import TRANSIENT_STATUS

ROLES = "manage-clients and manage-users of the realm's client realm-management"
"""What the administrator needs; view-clients and view-users suffice for plan and verify."""

LOGIN = (
    "check KEYCLOAK_ADMIN, KEYCLOAK_ADMIN_PASSWORD and KEYCLOAK_ADMIN_REALM, "
    "or KEYCLOAK_ADMIN_CLIENT_ID and KEYCLOAK_ADMIN_CLIENT_SECRET"
)
TUNNEL = "check bootstrap.keycloak_url, KEYCLOAK_HOST and KEYCLOAK_CACERT, or open a tunnel"

LONGEST_REASON = 200
"""Characters of the server's own words that are shown."""


def is_transient(error: BaseException) -> bool:
    """Whether a later attempt may get a better answer."""
    if isinstance(error, KeycloakConnectionError):
        return True
    return isinstance(error, KeycloakError) and error.response_code in TRANSIENT_STATUS


def translated(error: Exception, *, what: str, url: str) -> BootstrapError:
    """``error`` of a request about ``what``; its text has the server's reason and never a request's content."""
    if isinstance(error, KeycloakConnectionError):
        return unreachable(error, url=url)
    if not isinstance(error, KeycloakError):
        return UnreachableError(f"what answers at {url} for {what} is not Keycloak", remedy=TUNNEL)
    match error.response_code:
        case 401:
            return RefusedError(f"Keycloak at {url} refuses the login", remedy=LOGIN)
        case 403:
            return RefusedError(f"the login may not see or change {what} in Keycloak", remedy=f"it needs {ROLES}")
        case 404:
            return MissingError(f"{what} is not there any more in Keycloak", remedy="run it again")
        case 409:
            return ConflictError(f"{what} was changed by another run in Keycloak", remedy="run it again")
        # No code at all comes from a proxy in between, or from a connection that ended early.
        case code if code is None or code >= 500 or code in TRANSIENT_STATUS:
            return UnreachableError(f"Keycloak at {url} answers {code} for {what}", remedy="try again later")
    return RefusedError(f"Keycloak does not take {what} ({reason(error)})", remedy="see its log for more")


def reason(error: KeycloakError) -> str:
    """What the server says of itself, in one short line."""
    try:
        # A proxy in front of Keycloak answers with HTML.
        said = json.loads(error.response_body or b"")
    except ValueError:
        said = {}
    fields = ("errorMessage", "error_description", "error")
    words = [str(said[name]) for name in fields if isinstance(said, dict) and said.get(name)]
    # On one line, and bounded: the words of a server are not ours to trust.
    return " ".join(words[0].split())[:LONGEST_REASON] if words else f"answer {error.response_code}"


def unreachable(error: KeycloakConnectionError, *, url: str) -> UnreachableError:
    """No answer, or half of one; the kind of what requests raised says enough, its text would repeat the address."""
    return UnreachableError(
        f"cannot reach Keycloak at {url} ({type(error.__cause__ or error).__name__})", remedy=TUNNEL
    )
