"""What a browser and a client see: certificate, health, refusal without a login, the way to Keycloak, clocks."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs, urlsplit

from mlflow_bootstrap.doctor.errors import CannotReadError
from mlflow_bootstrap.doctor.examination import Examination
from mlflow_bootstrap.doctor.line import Line, failed, passed, warned

_SEARCH = "/api/2.0/mlflow/experiments/search?max_results=1"
_SHORT_DAYS = 14
_SKEW_SECONDS = 30
"""Tokens are refused before their time: authlib, which reads them, allows no leeway unless told to."""


def certificate(examined: Examination) -> Iterator[Line]:
    """Whether the certificate of each public host is valid, trusted, and for how long."""
    for url in examined.settings.ingress.public_urls:
        yield _certificate(examined, url)


def _certificate(examined: Examination, url: str) -> Line:
    host, name = urlsplit(url).hostname or "", f"certificate of {urlsplit(url).hostname}"
    means = "browsers warn, and MLflow's client refuses the server"
    try:
        with (
            socket.create_connection(examined.web.place(url), timeout=5) as connection,
            examined.web.context.wrap_socket(connection, server_hostname=host) as secured,
        ):
            expires = float(ssl.cert_time_to_seconds(str((secured.getpeercert() or {})["notAfter"])))
    except ssl.SSLCertVerificationError as error:
        do = "look at the Certificate of cert-manager, or name its private authority in SSL_CERT_FILE"
        return failed(name, error.verify_message, means=means, do=do)
    except OSError as error:
        raise CannotReadError(
            f"no TLS at {':'.join(map(str, examined.web.place(url)))} ({error})",
            remedy="look at DNS and at the ingress controller, or name it with --connect",
        ) from None
    days = (expires - datetime.now(UTC).timestamp()) / 86400
    if days < _SHORT_DAYS:
        do = "kubectl describe certificate; cert-manager renews at two thirds of the time"
        return warned(name, f"expires in {days:.0f} days", means="it was not renewed in time", do=do)
    return passed(name, f"valid for {days:.0f} days")


def health(examined: Examination) -> Iterator[Line]:
    """Whether the server answers at its public address."""
    url = examined.settings.ingress.public_url
    status = examined.web.request("GET", f"{url}/health").status
    if status == 200:
        yield passed("public address", f"{url}/health answers 200")
        return
    why = {
        404: "the ingress controller knows no such host, or misses a Middleware of the route",
        502: "no pod of the server answers",
        503: "no pod of the server is ready",
        504: "the server does not answer in time",
        403: "the server or a proxy in front refuses the host",
    }
    yield failed(
        "public address",
        f"{url}/health answers {status}",
        means=why.get(status, "users get no page"),
        do="look at the lines of objects and Deployment, and at the log of the ingress controller",
    )


def anonymous(examined: Examination) -> Iterator[Line]:
    """Whether a request without a login gets no data."""
    url = examined.settings.ingress.public_url
    answer = examined.web.request("GET", f"{url}{_SEARCH}", headers={"Accept": "application/json"})
    name = "without a login"
    is_page = answer.status == 200 and answer.headers.get("Content-Type", "").startswith("text/html")
    if answer.status == 401 or (is_page and b'"experiment_id"' not in answer.body):
        # Release 3.6.0 shows its login page instead.
        yield passed(name, "gets the login page" if is_page else "refused with 401")
    elif answer.status == 200:
        do = "take the host off the network now; see that the pods run `mlflow-sso serve --app-name oidc-auth-fastapi`"
        yield failed(name, "experiments are listed", means="anyone can read and change everything", do=do)
    else:
        yield failed(
            name,
            f"answered with {answer.status}",
            means="this is not our server's refusal",
            do="look at the line of the public address",
        )


def login(examined: Examination) -> Iterator[Line]:
    """Whether Keycloak accepts the redirect URI that the server sends a browser with."""
    settings, web = examined.settings, examined.web
    answer = web.request("GET", f"{settings.ingress.public_url}/login")
    to = answer.headers.get("Location", "")
    asked = parse_qs(urlsplit(to).query)
    name, means = "redirect URI", "no user can log in"
    if answer.status not in (302, 303, 307) or "redirect_uri" not in asked:
        seen = f"/login answers {answer.status} and leads nowhere"
        yield failed(name, seen, means=means, do="look at the pods' lines; the server may not reach Keycloak")
        return
    (uri,), client = asked["redirect_uri"], asked.get("client_id", [""])[0]
    if uri != settings.ingress.redirect_uri:
        seen = f"the server sends {uri}, the settings say {settings.ingress.redirect_uri}"
        yield failed(name, seen, means=means, do="look at the lines of Flux or Argo CD: the pods have old settings")
        return
    page = web.request("GET", to)
    if page.status == 200:
        yield passed(name, f"Keycloak shows its page for {client} and {uri}")
        return
    do = f"bootstrap plan keycloak --environment {examined.name} shows both addresses; apply it"
    if page.status == 400:
        seen = f"Keycloak refuses {uri} for the client {client} (400)"
        yield failed(name, seen, means=f"{means}: Invalid parameter: redirect_uri, or an unknown client", do=do)
    else:
        yield failed(name, f"Keycloak answers {page.status}", means=means, do="look at Keycloak")


def realm(examined: Examination) -> Iterator[Line]:
    """Whether the realm is there under the issuer that tokens bear."""
    login_settings = examined.settings.authentication
    answer = examined.web.request("GET", login_settings.discovery_url)
    name, means = f"realm {login_settings.realm}", "the server cannot check a login"
    found = answer.json().get("issuer")
    if answer.status == 404:
        do = "create it (`bootstrap apply keycloak --create-realm`), or correct authentication.realm"
        yield failed(name, f"Keycloak has none ({login_settings.discovery_url})", means=means, do=do)
    elif answer.status != 200:
        yield failed(
            name, f"{login_settings.discovery_url} answers {answer.status}", means=means, do="look at Keycloak"
        )
    elif found != login_settings.issuer:
        yield failed(
            name,
            f"its issuer is {found}, the settings say {login_settings.issuer}",
            means="every token is refused",
            do="give Keycloak its public host name, or correct authentication.keycloak_host",
        )
    else:
        yield passed(name, f"issuer {found}")


def clocks(examined: Examination) -> Iterator[Line]:
    """Whether the clocks of API server, MLflow, Keycloak and this machine agree."""
    settings = examined.settings
    now = datetime.now(UTC)
    dates = {
        "Kubernetes": examined.cluster.answer("/version").date,
        "MLflow": examined.web.request("GET", f"{settings.ingress.public_url}/health").headers.get("Date"),
        "Keycloak": examined.web.request("GET", settings.authentication.discovery_url).headers.get("Date"),
    }
    apart = {
        name: (parsedate_to_datetime(date) - now).total_seconds() for name, date in dates.items() if date is not None
    }
    known = {**apart, "this machine": 0.0}
    widest = max(known.values()) - min(known.values())
    if widest > _SKEW_SECONDS:
        seen = ", ".join(f"{name} {seconds:+.0f} s" for name, seconds in known.items())
        means = "fresh tokens count as not valid yet, or as expired"
        yield failed("clocks", seen, means=means, do="look at the time service (NTP) of the hosts")
    else:
        yield passed("clocks", f"{', '.join(known)} agree within {max(1, widest):.0f} s")
