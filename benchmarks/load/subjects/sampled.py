"""Runs a program and samples where its processor time goes. The standard library only.

    python sampled.py STACKS PROGRAM [arguments]

A timer counts the process's own time, in user and kernel mode, and interrupts it each 2 ms of that;
what its main thread is doing then is counted, and written to STACKS at the end, a line for each
stack. Time in C code between two Python functions, such as an event loop's, is counted as the
function's that is called next.
"""

import atexit
import runpy
import signal
import sys
from collections import Counter
from pathlib import Path
from types import FrameType

EACH_S = 0.002


def main() -> None:
    """Run the program, with its arguments in place of ours."""
    stacks: Counter[str] = Counter()

    def sample(_signal: int, frame: FrameType | None) -> None:
        names = []
        while frame is not None:
            code = frame.f_code
            place = "/".join(Path(code.co_filename).parts[-2:])
            names.append(f"{code.co_qualname} ({place}:{code.co_firstlineno})")
            frame = frame.f_back
        stacks[";".join(reversed(names))] += 1

    out, program = Path(sys.argv[1]), sys.argv[2]
    sys.argv = sys.argv[2:]
    sys.path[0] = str(Path(program).parent)

    def write() -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        out.write_text("".join(f"{stack} {n}\n" for stack, n in stacks.items()))

    atexit.register(write)
    # Servers put this back at their end and send themselves the signal once more.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGPROF, sample)
    signal.siginterrupt(signal.SIGPROF, False)  # noqa: FBT003  # a positional of the library's
    signal.setitimer(signal.ITIMER_PROF, EACH_S, EACH_S)
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
