"""Which process runs which test, where several share the work: those of one release follow each other in one.

They share a server, its databases and a process that has imported MLflow, each started once a process and release. Once
a process has run all files of its release it takes what belongs to no release, then files of the other.
"""

import re

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from cdk8s_mlflow.releases import RELEASES

_RELEASE = re.compile(r"\[(?:.*-)?(" + "|".join(map(re.escape, RELEASES)) + r")[-\]]")


class ByRelease(LoadScopeScheduling):
    """Sends the tests of a file and release to one process, and to each process those of one release first."""

    def _split_scope(self, nodeid: str) -> str:
        file, release = nodeid.partition("::")[0], _RELEASE.search(nodeid)
        return f"{file} {release[1]}" if release else file

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=lambda scope: self._rank(scope, node)), last=False)
        super()._assign_work_unit(node)

    def _rank(self, scope: str, node: WorkerController) -> int:
        """0 for the release of ``node``, or one that no process has; 1 for no release; 2 for that of another."""
        release, own = _release(scope), self._current(node)
        if not release:
            return 1
        taken = {self._current(other) for other in self.nodes if other is not node}
        return 0 if release == own or (not own and release not in taken) else 2

    def _current(self, node: WorkerController) -> str:
        """The release of the file that ``node`` was given last."""
        releases = [_release(scope) for scope in self.assigned_work.get(node, ())]
        return next(filter(None, reversed(releases)), "")


def _release(scope: str) -> str:
    return scope.partition(" ")[2]
