"""Runs a command as a whole process: wall time, peak memory, and what it printed."""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One process from start to end."""

    seconds: float
    peak_mib: float
    output: str


class Failed(Exception):
    """The command did not end well; the message holds what it said."""


def run(command: list[str], environment: dict[str, str] | None = None, quiet: bool = False) -> Run:
    """Start, wait, measure. Dirty pages of earlier runs are written back first, so that none pays for another's writes."""
    os.sync()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        started = time.perf_counter()
        child = subprocess.Popen(
            command, stdout=subprocess.DEVNULL if quiet else out, stderr=err, env={**os.environ, **(environment or {})}
        )
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        said = text(out)
        if child.returncode != 0:
            raise Failed(f"{' '.join(map(str, command))}: exit {child.returncode}\n{said}\n{text(err)}")
    return Run(seconds, usage.ru_maxrss / 1024, said)


def text(file) -> str:
    """What a process wrote into the file."""
    file.seek(0)
    return file.read().decode("utf-8", "replace").strip()


def warm(*paths: Path) -> None:
    """Read files once, so that the first runner does not pay for the disk."""
    for path in paths:
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass
