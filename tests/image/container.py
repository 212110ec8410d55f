"""The built image at work: started, asked and stopped by docker, podman or buildah."""

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NUMBER = 10001  #: the user and group that the image names
CONFIGURATION = "/etc/crm-sync"


@dataclass(frozen=True, slots=True)
class Mounts:
    """What an operator mounts: the folder of the configuration, the volume of the state."""

    configuration: Path
    state: Path


@dataclass(frozen=True, slots=True)
class Image:
    """An image, and the tool that runs it; ``working`` is buildah's own container of it."""

    name: str
    tool: str
    settings: Mapping[str, Any]
    working: str = ""
    laid_out: Path = Path()  #: a file as old as buildah's container

    @classmethod
    @contextmanager
    def named(cls, name: str, tool: str, folder: Path) -> Iterator["Image"]:
        if tool != "buildah":
            (described,) = json.loads(_told(tool, "image", "inspect", name))
            yield cls(name, tool, described["Config"])
            return
        described = json.loads(_told(tool, "inspect", "--type", "image", name))
        working = _told(tool, "from", "--pull-never", name).strip()
        laid_out = folder / "laid-out"
        laid_out.touch()
        try:
            yield cls(name, tool, described["Docker"]["config"], working, laid_out)
        finally:
            _told(tool, "rm", working)

    @contextmanager
    def started(
        self,
        *command: str,
        mounts: Mounts | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[subprocess.Popen[str]]:
        """A command of crm-sync, or another program by its path; it ends with the block."""
        options = [f"--env={name}={value}" for name, value in (environment or {}).items()]
        if mounts is not None:
            options += [
                f"--volume={mounts.configuration}:{CONFIGURATION}:ro",
                f"--volume={mounts.state}:/data",
            ]
        process = subprocess.Popen(
            self._line(options, list(command)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    self.stop(process)

    def run(self, *command: str, **options: Any) -> tuple[int, str]:
        """Exit code, and what was printed."""
        with self.started(*command, **options) as process:
            told, _ = process.communicate(timeout=200)
        return process.returncode, told

    def stop(self, process: subprocess.Popen[str]) -> None:
        """What ``docker stop`` begins with: the image's stop signal, to the first process."""
        assert self.settings["StopSignal"] == "SIGTERM"
        number = process.pid if self.tool != "buildah" else _innermost(process.pid)
        _told("kill", f"-{signal.SIGTERM.value}", str(number))

    def written(self) -> list[str]:
        """Files of the root filesystem that were made since it was laid out.

        docker and podman mount it read-only, so that a write fails by itself.
        """
        if self.tool != "buildah":
            return []
        root = _told("buildah", "mount", self.working).strip()
        newer = ["-type", "f", "-cnewer", str(self.laid_out), "-not", "-path", f"{root}/tmp/*"]
        return _told("find", root, "-xdev", *newer).split()

    def _line(self, options: list[str], command: list[str]) -> list[str]:
        program = command[:1] if command[0].startswith("/") else []
        rest = command[len(program) :]
        if self.tool == "buildah":  # it does not know of entry points
            entry = program or self.settings["Entrypoint"]
            return ["buildah", "run", *options, self.working, "--", *entry, *rest]
        entry = [f"--entrypoint={program[0]}"] if program else []
        sealed = ["--rm", "--network=host", "--read-only", "--tmpfs=/tmp", *entry]
        return [self.tool, "run", *sealed, *options, self.name, *rest]


def _told(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _innermost(number: int) -> int:
    """buildah passes no signal on: the process in the container is its last descendant."""
    threads = Path(f"/proc/{number}/task").glob("*/children")
    children = [int(child) for thread in threads for child in thread.read_text().split()]
    return _innermost(children[0]) if children else number
