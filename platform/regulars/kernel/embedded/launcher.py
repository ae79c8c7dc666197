"""Becomes a server: a script of its own, so that nothing happens between fork and exec in a process with threads.

Argument: JSON with `argv`, `parent` (process id), `death_signal`, `cwd` and `account` ([uid, gid] or null).
"""

import ctypes
import json
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Change folder and user, bind our life to the parent's, and become the program."""
    order = json.loads(sys.argv[1])
    os.umask(0o077)
    os.chdir(order["cwd"])
    if order["account"] is not None:
        uid, gid = order["account"]
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # After the change of user, which clears it.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, order["death_signal"], 0, 0, 0)
        if os.getppid() != order["parent"]:
            os.kill(os.getpid(), signal.SIGKILL)  # the parent died before we could bind our life to its
    os.execv(order["argv"][0], order["argv"])  # noqa: S606 - the point of this script


if __name__ == "__main__":
    main()
