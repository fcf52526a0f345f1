"""Traefik's limits by source: how many requests at once, and how many logins a second.

Traefik sees no logins, so its rate limit is where none can be present yet, at the paths of the login itself: each
request there costs a session and a call to Keycloak. Everywhere else a fleet of training jobs may share one address;
there only the requests at once are limited, above what one pod works on. Traefik builds a chain of Middlewares for each
route, so every host and path has counters of its own. No ``buffering``: Traefik would keep each body whole before it
passes it on, in memory or in a file of its own, and uploads would not stream.
"""

from typing import Any

from constructs import Construct

from cdk8s_mlflow.metadata import resource_metadata
from cdk8s_mlflow.settings.ingress import IngressSettings

LOGIN_PATHS = ("/login", "/callback")
"""Where a browser is before it has logged in and after Keycloak has sent it back, on both releases."""


class RateLimits(Construct):
    """The Middlewares that ``settings.limits`` asks for.

    Exposes the names of those for every path, ``everywhere``, and of those for ``LOGIN_PATHS``, ``at_login``.
    """

    def __init__(self, scope: Construct, id: str, *, settings: IngressSettings, name: str, namespace: str) -> None:
        super().__init__(scope, id)
        self._namespace, self._depth = namespace, settings.forwarded_depth
        limits = settings.limits
        everywhere = {f"{name}-in-flight": self._in_flight(limits.requests_in_flight)}
        # These are on routes of their own, so that logins are counted apart from all other requests.
        at_login = {
            f"{name}-login-in-flight": self._in_flight(limits.logins_in_flight),
            f"{name}-login-rate": self._rate(limits.logins_per_second, limits.login_burst),
        }
        self.everywhere = self._middlewares(everywhere)
        self.at_login = self._middlewares(at_login)

    def _middlewares(self, specs: dict[str, Any]) -> list[str]:
        # Generated classes are large, and most environments use only some of them.
        from cdk8s_mlflow_crds.io import traefik

        wanted = {name: spec for name, spec in specs.items() if spec is not None}
        for name, spec in wanted.items():
            about = resource_metadata(name, namespace=self._namespace, component="tracking-server")
            traefik.Middleware(self, name, metadata=about, spec=spec)
        return [*wanted]

    def _in_flight(self, amount: int) -> Any:
        from cdk8s_mlflow_crds.io import traefik

        if not amount:
            return None
        # The depth is written out: without a source, Traefik counts all requests of a host together.
        strategy = traefik.MiddlewareSpecInFlightReqSourceCriterionIpStrategy(depth=self._depth)
        source = traefik.MiddlewareSpecInFlightReqSourceCriterion(ip_strategy=strategy)
        limit = traefik.MiddlewareSpecInFlightReq(amount=amount, source_criterion=source)
        return traefik.MiddlewareSpec(in_flight_req=limit)

    def _rate(self, average: int, burst: int) -> Any:
        from cdk8s_mlflow_crds.io import traefik

        if not average:
            return None
        strategy = traefik.MiddlewareSpecRateLimitSourceCriterionIpStrategy(depth=self._depth)
        source = traefik.MiddlewareSpecRateLimitSourceCriterion(ip_strategy=strategy)
        limit = traefik.MiddlewareSpecRateLimit(average=average, burst=burst, source_criterion=source)
        return traefik.MiddlewareSpec(rate_limit=limit)
