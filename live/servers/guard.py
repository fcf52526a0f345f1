"""Runs one command and ends it when standard input closes, as it does when whoever started us wants that, or dies.

Usage: python guard.py SIGNAL GRACE_SECONDS USER FOLDER AFTER COMMAND…  (an empty USER stays who we are)
FOLDER, if it is not empty, is deleted in the end when whoever started us can no longer do it.
SIGUSR1 kills the command's process group at once. AFTER is a command as a JSON list, which runs when none of the group
is left; an empty list runs nothing.
"""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress


def main(arguments: list[str]) -> int:
    """The command's own exit code; none of its process group is left."""
    number, grace, user, folder, after, *command = arguments
    starter = os.getppid()
    credentials = {"user": user, "group": user, "extra_groups": []} if user else {}
    # By a pipe, since a signal that comes just before the wait for the child would only be handled after it.
    told, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(writer)
    signal.signal(signal.SIGUSR1, lambda *_: None)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **credentials)  # type: ignore[call-overload]
    threading.Thread(target=_end, args=(child, told, int(number), float(grace)), daemon=True).start()
    code = int(child.wait())
    # Also after a polite end: children of the command may have been left in its group.
    _kill_group(child.pid)
    if json.loads(after):
        subprocess.run(json.loads(after), stdin=subprocess.DEVNULL, check=False)
    if folder and os.getppid() != starter:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _end(child: "subprocess.Popen[bytes]", told: int, number: int, grace: float) -> None:
    # Standard input is a pipe that its starter never writes to: it is readable when that closes it, or dies.
    readable, _, _ = select.select([0, told], [], [])
    if told not in readable:
        child.send_signal(number)
        select.select([told], [], [], grace)
    if child.poll() is None:
        _kill_group(child.pid)


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
