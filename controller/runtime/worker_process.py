"""The other end of workers: reads jobs from stdin, answers on stdout, ends when idle.

A job that exceeds its deadline is ended by SIGALRM's default action, which stops native code too.
"""

from __future__ import annotations

import os
import pickle
import resource
import select
import signal
import sys
from typing import Any, BinaryIO

from controller.runtime.supervisor import outcome

# Memory is given back after this long without work.
IDLE_S = 30.0


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    while select.select([requests], [], [], IDLE_S)[0]:
        header = _read(requests, 8)
        if len(header) < 8:
            return
        job = pickle.loads(_read(requests, int.from_bytes(header, "big")))
        resource.setrlimit(resource.RLIMIT_AS, (job.memory_cap, job.memory_cap))
        signal.setitimer(signal.ITIMER_REAL, job.deadline)
        answer: tuple[bool, Any] = outcome(job.function, job.argument)
        signal.setitimer(signal.ITIMER_REAL, 0)
        message = pickle.dumps(answer)
        answers.write(len(message).to_bytes(8, "big") + message)
        answers.flush()


def _read(requests: BinaryIO, size: int) -> bytes:
    """So many bytes, fewer only at the end; an unbuffered pipe gives at most what it holds at once."""
    parts: list[bytes] = []
    while size > 0 and (part := requests.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def main() -> None:
    # The terminal's Ctrl-C is for the daemon, which ends us in its own time.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a library prints must not end up between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(os.fdopen(sys.stdin.fileno(), "rb", buffering=0, closefd=False), answers)


if __name__ == "__main__":
    main()
