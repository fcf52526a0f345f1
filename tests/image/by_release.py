"""Which process runs which test, where two share the work: a release's tests in one, because they share servers.

The longest modules that share little, modules that belong to no release, and the image's tests that share a Keycloak,
which starts longer than all else, go whole to whoever has time in the end.
"""

import re

from xdist.scheduler import LoadScopeScheduling

from cdk8s_mlflow.releases import RELEASES

_RELEASE = re.compile(r"\[(?:.*-)?(" + "|".join(map(re.escape, RELEASES)) + r")[-\]]")
_APART = re.compile(r"test_(built_image|locks|migrate_killed|workers)\.py")
_WITH_KEYCLOAK = re.compile(r"tests/image/test_(check|login)\.py")


class ByRelease(LoadScopeScheduling):
    """Sends all tests with the same release among their parameters to the same process."""

    def _split_scope(self, nodeid: str) -> str:
        release, apart = _RELEASE.search(nodeid), _APART.search(nodeid)
        if _WITH_KEYCLOAK.search(nodeid):
            return "keycloak"
        if release is None:
            return str(super()._split_scope(nodeid))
        return f"{release[1]} {apart[0]}" if apart else release[1]
