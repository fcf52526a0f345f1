"""The OpenID provider as the server sees it: its discovery document, its keys, and whether it knows our client."""

import os
from typing import Any
from urllib.parse import urlsplit

from mlflow_sso.errors import ProgramError, RetryableError, TerminalError
from mlflow_sso.secrets_root import SecretsRoot

SUFFIX = "/.well-known/openid-configuration"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


def discover(timeout: float) -> str:
    """Read the discovery document and the keys, and compare the issuer with the address it was read from.

    OpenID Connect Discovery 1.0, section 4.3: the issuer is the address without ``/.well-known/openid-configuration``.
    """
    found = document(timeout)
    issuer, expected = found.get("issuer"), os.environ.get("OIDC_ISSUER") or _address().removesuffix(SUFFIX)
    if issuer != expected:
        raise TerminalError(
            f"the issuer is {issuer}, not {expected}",
            remedy="give the provider its public host name, or correct OIDC_DISCOVERY_URL",
        )
    absent = [name for name in ENDPOINTS if not found.get(name)]
    if absent:
        raise TerminalError(f"the discovery document lacks {', '.join(absent)}", remedy="check OIDC_DISCOVERY_URL")
    keys = request("GET", found["jwks_uri"], timeout)[1].get("keys", [])
    if not keys:
        raise TerminalError(f"no signing keys at {found['jwks_uri']}", remedy="look at the keys of the realm")
    return f"issuer {issuer}, {len(keys)} keys"


def try_client(root: SecretsRoot, timeout: float) -> str:
    """Redeem a code that does not exist; ``invalid_grant`` is what an accepted client gets (RFC 6749, section 5.2)."""
    client, secret = root.read("oidc", "OIDC_CLIENT_ID"), root.read("oidc", "OIDC_CLIENT_SECRET")
    form = {
        "grant_type": "authorization_code",
        "code": "mlflow-sso-check",
        "redirect_uri": os.environ.get("OIDC_REDIRECT_URI", ""),
        "client_id": client,
        "client_secret": secret,
    }
    status, answer = request("POST", endpoint(document(timeout), "token_endpoint"), timeout, data=form)
    error = answer.get("error")
    if error != "invalid_grant":
        raise TerminalError(
            f"the provider refuses the client {client}: {status} {error}",
            remedy="compare mlflow-oidc-config with the client in the realm",
        )
    return f"client {client} accepted"


def _address() -> str:
    address = os.environ.get("OIDC_DISCOVERY_URL", "")
    if urlsplit(address).scheme not in ("https", "http"):
        raise TerminalError(
            f"OIDC_DISCOVERY_URL is {address or 'not set'}", remedy=f"set it to https://HOST/realms/REALM{SUFFIX}"
        )
    return address


def document(timeout: float) -> dict[str, Any]:
    """The discovery document; raises ``ProgramError``."""
    status, found = request("GET", _address(), timeout)
    if status != 200:
        raise TerminalError(f"{_address()} answers {status}", remedy="check OIDC_DISCOVERY_URL and the realm's name")
    return found


def endpoint(found: dict[str, Any], name: str) -> str:
    """An address of a discovery document; raises ``TerminalError`` if it has none."""
    address = found.get(name)
    if not isinstance(address, str) or not address.startswith(("https://", "http://")):
        raise TerminalError(f"the discovery document lacks {name}", remedy="check OIDC_DISCOVERY_URL")
    return address


def request(method: str, url: str, timeout: float, **options: Any) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer; raises ``ProgramError`` if there is none."""
    # Only programs that use requests spend the time of its import.
    import requests

    # urllib3 refuses a timeout of zero, which is what a passed deadline leaves.
    try:
        answer = requests.request(method, url, timeout=max(1.0, timeout), **options)
        body = answer.json()
    # These two first: they are RequestExceptions as well, and no other try cures them.
    except requests.exceptions.SSLError as error:
        raise TerminalError(f"{url}: {error}", remedy=tls_remedy(str(error))) from None
    except requests.exceptions.JSONDecodeError:
        raise TerminalError(
            f"{url} answers {answer.status_code} without JSON", remedy="check OIDC_DISCOVERY_URL"
        ) from None
    except requests.exceptions.RequestException as error:
        raise _unreachable(url, error) from None
    return answer.status_code, body if isinstance(body, dict) else {}


def tls_remedy(error: str) -> str:
    """What to do about a certificate that was refused.

    Python 3.13 and newer check certificates strictly by RFC 5280 (``VERIFY_X509_STRICT``), which older ones do not.
    """
    if "key usage" in error.lower():
        return "issue the authority anew with keyUsage = critical, keyCertSign, cRLSign; Python 3.13 demands it"
    if "key identifier" in error.lower():
        return "issue the certificate anew with subject and authority key identifiers; Python 3.13 demands them"
    return "mount the authority that signed it as ca/ca.crt"


def _unreachable(url: str, error: Exception) -> ProgramError:
    return RetryableError(f"cannot reach {url}: {error}", remedy="check KEYCLOAK_HOST, DNS and the NetworkPolicy")
