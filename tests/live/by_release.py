"""Which process runs which test, where two share the work: all tests of a release in one, because they share servers.

Tests that belong to no release go to whoever has time.
"""

import re

from xdist.scheduler import LoadScopeScheduling

from cdk8s_mlflow.releases import RELEASES

_RELEASE = re.compile(r"\[(?:.*-)?(" + "|".join(map(re.escape, RELEASES)) + r")[-\]]")


class ByRelease(LoadScopeScheduling):
    """Sends all tests with the same release among their parameters to the same process."""

    def _split_scope(self, nodeid: str) -> str:
        found = _RELEASE.search(nodeid)
        return found[1] if found else nodeid
