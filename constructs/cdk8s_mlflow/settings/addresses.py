"""Types of text that is compared with what arrives: hosts, origins, networks, URLs.

Text that can never match what it is compared with is refused, since nothing else would say so: not the API server, not
MLflow, not the network.
"""

import re
from collections.abc import Callable
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator

from cdk8s_mlflow.settings.ip_addresses import ip_address, network_of, plain_address, plain_network

LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{LABEL}(\.{LABEL})*")
# Names that no public DNS has, so that no address can be found for them from elsewhere.
_DOCUMENTATION = re.compile(
    r"(.*\.)?(example|example\.(com|net|org)|invalid|test|localhost|local|internal|lan|home\.arpa)"
)


def is_placeholder_host(host: str) -> bool:
    """Whether ``host`` is a name for documentation and tests, or no public one (RFC 2606, 6761, 6762, 8375)."""
    return _DOCUMENTATION.fullmatch(host) is not None


def _name_error(value: str, *, port: str, path: str) -> str | None:
    """Why ``value`` is no bare name; ``port`` and ``path`` say where those belong."""
    if "://" in value:
        return "must be a bare host name, without a scheme; https is always used"
    if "*" in value:
        return "must name one host; a wildcard is not allowed"
    if "/" in value:
        return f"must be a bare host name, without a path; {path}"
    if ":" in value:
        return f"must be a bare host name; {port}"
    if len(value) > 253 or not _NAME.fullmatch(value):
        return "must be a lowercase DNS name such as mlflow.example.com"
    return None


def _hostname(
    *, port: str = "a port other than 443 has a setting of its own", path: str = "remove the path"
) -> Callable[[str], str]:
    def check(value: str) -> str:
        error = _name_error(value, port=port, path=path)
        if error:
            raise ValueError(error)
        # A pattern of names takes 10.1.2.3 for four labels.
        if re.fullmatch(r"[0-9.]+", value):
            raise ValueError("must be a DNS name, not an IP address; TLS certificates and cookies need a name")
        return value

    return check


def _host(value: str) -> str:
    """A name or an address."""
    address = plain_address(value)
    if address is not None:
        if address.is_unspecified or address.is_multicast:
            raise ValueError("must be the address of one server")
        return str(address)
    # Brackets belong to URLs; libpq and Redis's client take the address as it is.
    if value.startswith("["):
        raise ValueError("must be a name or an address without brackets, such as 2001:db8::5")
    error = _name_error(value, port="the port has a setting of its own", path="remove the path")
    if error:
        raise ValueError(error.replace("; https is always used", ""))
    if re.fullmatch(r"[0-9.]+", value):
        raise ValueError("must be an IPv4 address such as 10.20.30.40, or a DNS name")
    return value


def _allowed_host(value: str) -> str:
    """What MLflow compares with the Host header: exact, or with ``*`` as in file names."""
    if value.strip() in ("*", "*:*", ""):
        raise ValueError("must name hosts; a bare * lets any web page talk to the server")
    if "://" in value:
        raise ValueError("must be a Host header such as mlflow.internal.example.com, without a scheme")
    if "/" in value:
        raise ValueError("must be a Host header such as mlflow.internal.example.com, without a path or slash")
    host, port = _split_port(value)
    if port not in ("", "*") and not _is_port(port):
        raise ValueError("must be a Host header such as mlflow.internal.example.com:8080, with a port of 1 to 65535")
    if host.startswith("[") and ip_address(host.strip("[]")) is not None:
        return value
    # The server compares texts, and would never match a name in capitals.
    if value != value.lower():
        raise ValueError("must be in lower case, as browsers send it")
    labels = host.split(".")
    if not all(label == "*" or re.fullmatch(LABEL, label) for label in labels):
        raise ValueError("must be a Host header such as mlflow.internal.example.com, *.example.com or 10.42.*:9090")
    # 10.42.* is a network, mlflow.* any domain whose owner calls a host so.
    if set(labels) == {"*"} or (labels[-1] == "*" and not labels[0].isdigit()):
        raise ValueError("must name hosts; this * lets web pages of any domain talk to the server")
    return value


def _split_port(value: str) -> tuple[str, str]:
    """Host and port of a Host header; the port is empty without one, and not a port if there is nothing behind ':'."""
    if value.startswith("["):
        host, bracket, rest = value.partition("]")
        return host + bracket, rest.removeprefix(":") if rest.startswith(":") and rest != ":" else (rest and "?")
    if value.count(":") > 1:
        return value, "?"
    host, colon, port = value.partition(":")
    return host, port or (colon and "?")


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 1 <= int(text) <= 65535


_ORIGIN = "such as https://notebooks.example.com"
_DEFAULT_PORTS = {"https": "443", "http": "80"}


def _origin(value: str) -> str:
    """What MLflow compares with a browser's Origin header: scheme, host and port, and nothing else."""
    if value.strip() in ("*", "*:*", "") or value == "null":
        raise ValueError(f"must name hosts, {_ORIGIN}; a bare * lets any web page talk to the server")
    scheme, separator, rest = value.partition("://")
    if not separator:
        raise ValueError(f"must be an origin {_ORIGIN}: it needs its scheme")
    if scheme not in _DEFAULT_PORTS:
        raise ValueError(f"must be an origin {_ORIGIN}: its scheme is https or http")
    if re.search(r"[/?#]", rest):
        raise ValueError(f"must be an origin {_ORIGIN}: browsers send no path and no slash at the end")
    if "@" in rest:
        raise ValueError(f"must be an origin {_ORIGIN}: browsers send no login")
    host = _split_port(rest)[0]
    # *.com would be every page of that domain.
    if host.startswith("*") and host.count(".") < 2:
        raise ValueError(f"must name hosts, {_ORIGIN}; this * lets web pages of any domain talk to the server")
    try:
        _allowed_host(rest)
    except ValueError as error:
        raise ValueError(str(error).replace("a Host header", "an origin")) from error
    if _split_port(rest)[1] == _DEFAULT_PORTS[scheme]:
        raise ValueError(f"must be an origin {_ORIGIN}: browsers leave the usual port of {scheme} out")
    return value


def _cidr(value: str) -> str:
    if "/" not in value and ip_address(value) is not None:
        length = 32 if "." in value else 128
        raise ValueError(f"must be a network such as 203.0.113.0/24; for one address write {value}/{length}")
    return plain_network(value)


_WIDEST = 7
"""Bits of the widest private network, fc00::/7 (RFC 4193)."""


def _trusted_network(value: str) -> str:
    """What the plugin compares with the address of a connection."""
    if ip_address(value) is not None:
        return value
    if "/" not in value:
        raise ValueError("must be an address or a network such as 10.42.0.0/16; names are not compared")
    network = network_of(value)
    # X-Forwarded-For of every client would be believed, or of half of them.
    if network.prefixlen < _WIDEST or str(network).startswith("::ffff:"):
        raise ValueError("must be the network of the proxies; this one lets any client forge its address")
    return plain_network(value)


def _parts(value: str) -> SplitResult:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  (reading it is what validates it)
    except ValueError as error:
        raise ValueError(f"is not a URL ({str(error).lower()})") from error
    if not parts.scheme or not parts.hostname:
        raise ValueError("is not a URL such as https://host.example.com")
    if re.search(r"[\s\\]", value) or not (
        _NAME.fullmatch(parts.hostname.removesuffix(".")) or plain_address(parts.hostname, takes_mapped=True)
    ):
        raise ValueError("is not a URL such as https://host.example.com")
    if "#" in value:
        raise ValueError("must be a URL without a fragment (#)")
    return parts


def _url(value: str) -> str:
    parts = _parts(value)
    if parts.scheme not in ("https", "http"):
        raise ValueError("must start with https:// or http://")
    if "@" in parts.netloc:
        raise ValueError("must hold no login")
    if parts.query:
        raise ValueError("must be a URL without a query (?)")
    return value


def _https_url(value: str) -> str:
    if _parts(value).scheme != "https":
        raise ValueError("must start with https://")
    # It is compared as text with what others call the same server, and paths are added to it.
    return _url(value).rstrip("/")


def _s3_endpoint(value: str) -> str:
    parts = _parts(value)
    if parts.path not in ("", "/") or parts.query:
        raise ValueError("must have no path; the bucket has a setting of its own")
    if "@" in parts.netloc:
        raise ValueError("must hold no login; the keys are in the secret store")
    in_cluster = re.search(r"\.svc(\.|$)", parts.hostname or "")
    if parts.scheme == "http" and not in_cluster:
        raise ValueError("must start with https://; plain http is allowed only for an in-cluster S3 (*.svc)")
    if parts.scheme not in ("http", "https"):
        raise ValueError("must start with https://, or http:// for an in-cluster S3 (*.svc)")
    return value.rstrip("/")


_SCP = re.compile(r"(?P<user>[A-Za-z0-9._-]+@)?(?P<host>[A-Za-z0-9.-]+):(?P<path>[^/].*)")


def _ip_address(value: str) -> str:
    if plain_address(value) is None:
        raise ValueError("must be an IP address, without port or prefix length")
    return value


def _git_url(value: str) -> str:
    scheme, separator, rest = value.partition("://")
    # git takes host:path for ssh, Flux and Argo CD take only URLs.
    short = _SCP.fullmatch(rest if separator and scheme == "ssh" else value)
    if short and not _is_port(short["path"].partition("/")[0]) and (not separator or scheme == "ssh"):
        login = short["user"] or "git@"
        raise ValueError(f"must be a URL; write ssh://{login}{short['host']}/{short['path']}")
    parts = _parts(value)
    if parts.scheme not in ("https", "ssh", "oci"):
        raise ValueError("must start with https://, ssh:// or oci://")
    # A login in the URL would be in dist/, and in each reader's clone; ssh needs a user's name.
    if parts.password or (parts.username and parts.scheme != "ssh"):
        raise ValueError("must hold no login; delivery.credentials_secret names the Secret that has it")
    if not parts.path.strip("/"):
        raise ValueError("must name a repository, not only its host")
    if parts.query:
        raise ValueError("must be a URL without a query (?)")
    return value


def _no_proxy(value: str) -> str:
    if value.startswith("*"):
        raise ValueError("must be a host or a domain such as .example.com; not every program understands *")
    if "/" in value or ip_address(value) is not None:
        raise ValueError("must be a host or a domain such as .example.com; not every program understands networks")
    name = value.removeprefix(".")
    if not _NAME.fullmatch(name):
        raise ValueError("must be a host or a domain such as .example.com, in lower case and without a port")
    return value


def _keycloak_host(value: str) -> str:
    return _hostname(port="the port is authentication.keycloak_port", path="the path is authentication.keycloak_path")(
        value
    )


Hostname = Annotated[str, AfterValidator(_hostname())]
"""A lowercase DNS name without scheme, port or path."""

KeycloakHost = Annotated[str, AfterValidator(_keycloak_host)]
Host = Annotated[str, AfterValidator(_host)]
"""A lowercase DNS name or an IP address, without port or path."""

HttpsUrl = Annotated[str, AfterValidator(_https_url)]
Url = Annotated[str, AfterValidator(_url)]
NoProxy = Annotated[str, AfterValidator(_no_proxy)]
S3Endpoint = Annotated[str, AfterValidator(_s3_endpoint)]
GitUrl = Annotated[str, AfterValidator(_git_url)]
Cidr = Annotated[str, AfterValidator(_cidr)]
IpAddress = Annotated[str, AfterValidator(_ip_address)]
AllowedHost = Annotated[str, AfterValidator(_allowed_host)]
Origin = Annotated[str, AfterValidator(_origin)]
TrustedNetwork = Annotated[str, AfterValidator(_trusted_network)]
