"""A subject as it is run: at which far end, over which HTTP, in how many processes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.load.ends import ENDS
from benchmarks.load.environments import missing
from benchmarks.load.processes import Placement, placement
from benchmarks.load.subjects import SUBJECTS, Subject
from turnkit.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Entry:
    """What takes part in a load suite."""

    subject: Subject
    end: str = "twilio"
    http2: bool = False
    """Whether the model is reached over HTTP/2 and TLS."""
    workers: int = 1

    @property
    def name(self) -> str:
        """The subject's, and what is not as usual: turnkit, turnkit-ws, turnkit-http2, turnkit-2w.

        It stands for the entry in every metric's name, so there is no dot in it.
        """
        end = f"-{self.end}" if self.end != "twilio" else ""
        http2 = "-http2" if self.http2 else ""
        workers = f"-{self.workers}w" if self.workers > 1 else ""
        return f"{self.subject.name}{end}{http2}{workers}"

    @property
    def program(self) -> Subject:
        """The subject with what it has to be told."""
        if self.workers == 1:
            return self.subject
        return replace(self.subject, options=(*self.subject.options, f"workers={self.workers}"))

    def place(self, *, realtime: bool) -> Placement:
        """Return on which cores it runs."""
        return placement(realtime=realtime, workers=self.workers)


def entries(
    subjects: Sequence[str], ends: Sequence[str] = ("twilio",), workers: Sequence[int] = (1,)
) -> list[Entry]:
    """Return what can take part, subject by subject: each at the ends it has, in as many processes.

    Raises ConfigError for what there is not, or if nothing is left.
    """
    for name in subjects:
        if name not in SUBJECTS:
            raise ConfigError(f"there is no subject {name!r}; choose from {', '.join(SUBJECTS)}")
        if not SUBJECTS[name].ready:
            raise ConfigError(missing(name))
    for end in ends:
        if end not in ENDS:
            raise ConfigError(f"there is no far end {end!r}; choose from {', '.join(ENDS)}")
    found = [
        Entry(SUBJECTS[name], end, workers=count)
        for end in ends
        for count in workers
        for name in subjects
        if end in SUBJECTS[name].ends and (count == 1 or SUBJECTS[name].workers)
    ]
    if not found:
        raise ConfigError(
            f"none of {', '.join(subjects)} can be called at {', '.join(ends)} "
            f"in {', '.join(map(str, workers))} processes"
        )
    return found
