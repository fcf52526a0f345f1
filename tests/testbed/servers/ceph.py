"""Ceph's object gateway from Debian's packages, on a cluster of one monitor and one OSD."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from live.servers.cache import debian_program
from live.servers.process import answers, free_port
from live.servers.s3_store import S3Store

SETTINGS = """
[global]
fsid = {fsid}
mon host = [v2:127.0.0.1:{monitor}]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd objectstore = memstore
memstore device bytes = 4294967296
mon allow pool size one = true
# By default it ends on a disk that is nearly full.
mon data avail crit = 1
mon data = {folder}/monitor
osd data = {folder}/osd
run dir = {folder}
crash dir = {folder}
keyring = {folder}/keyring
admin socket =
log file =
rgw frontends = beast endpoint=127.0.0.1:{port}
"""

# The OSD gets its number from the monitor, and the user is made through both, so each must be there before the next.
STEPS = """
export CEPH_CONF={folder}/ceph.conf
mkdir monitor osd
ceph-authtool keyring --create-keyring --gen-key -n mon. --cap mon 'allow *'
for name in client.admin client.gateway; do
  ceph-authtool keyring --gen-key -n $name --cap mon 'allow *' --cap osd 'allow *'
done
ceph-authtool keyring --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
monmaptool --create --fsid {fsid} --addv a '[v2:127.0.0.1:{monitor}]' map
ceph-mon --mkfs -i a --monmap map --keyring keyring
ceph-mon -f -i a &
ceph osd create
ceph-osd --mkfs -i 0
ceph-osd -f -i 0 &
radosgw-admin -n client.gateway user create --uid=root --display-name=root --access-key={user} --secret={password}
exec radosgw -f -n client.gateway
"""


@dataclass(kw_only=True)
class Ceph(S3Store):
    """A gateway, which keeps its objects in memory: they go with it."""

    name: ClassVar[str] = "ceph"

    root_user: str = "root-of-ceph"

    def prepare(self) -> Sequence[str]:
        """Install Ceph, and write down how its parts start."""
        for program in ("ceph-mon", "ceph-osd", "radosgw"):
            debian_program(program, package=program)
        values = {"folder": self.folder, "fsid": uuid.uuid4(), "monitor": free_port(), "port": self.port}
        (self.folder / "ceph.conf").write_text(SETTINGS.format(**values))
        steps = self.folder / "start.sh"
        steps.write_text(STEPS.format(**values, user=self.root_user, password=self.root_password))
        return ["sh", "-eu", str(steps)]

    def ready(self) -> bool:
        """Whether the gateway answers, which it does when all else is there."""
        return answers(self.url)
