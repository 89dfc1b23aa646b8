"""Makes requirements/*.txt from pyproject.toml: `make pins`.

Installs what pyproject.toml asks for into scratch environments, newest first, and writes down every version that came.
Only names and versions are written: no address, no host, no hash. It is run with the oldest Python supported, whose
environment needs the most packages.

==========  ======================================================  ======================
file        what it holds                                           for
==========  ======================================================  ======================
run.txt     the dependencies and all extras of the project          `make demo`, users
build.txt   the build backend                                       the editable install
dev.txt     the dependency group `dev`, less the two above          `make test`, `make check`
peer.txt    the dependency group `peer`, an environment of its own  `make test`, `make bench`
==========  ======================================================  ======================
"""

import subprocess
import sys
import tempfile
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)

HEADER = """\
# {what}.
# Made by `make pins` (tools/pin.py) from pyproject.toml with Python {oldest}: edit that, not this.
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What pyproject.toml asks for, as requirement strings."""

    run: list[str]
    build: list[str]
    dev: list[str]
    peer: list[str]

    @classmethod
    def read(cls, path: Path) -> "Wanted":
        """Read it; an extra that names only other extras of ours adds nothing."""
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        project = document["project"]
        extras = [one for extra in project["optional-dependencies"].values() for one in extra]
        return cls(
            run=[*project["dependencies"], *(one for one in extras if not one.startswith(project["name"]))],
            build=document["build-system"]["requires"],
            dev=document["dependency-groups"]["dev"],
            peer=document["dependency-groups"]["peer"],
        )


class Scratch:
    """An environment that remembers what it has already told."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=True)
        self._python = str(folder / "bin" / "python")
        self._told: set[str] = set()

    def add(self, requirements: list[str]) -> list[str]:
        """Install these beside what is there; returns the pins that this brought."""
        self._pip("install", "--quiet", "--only-binary", ":all:", *sorted(self._told), *requirements)
        pins = set(self._pip("freeze").split())
        new = pins - self._told
        self._told = pins
        return sorted(new, key=str.lower)

    def _pip(self, *arguments: str) -> str:
        command = [self._python, "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode()


def write(name: str, what: str, pins: list[str]) -> None:
    """Write one file of pins."""
    oldest = ".".join(map(str, OLDEST))
    path = ROOT / "requirements" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEADER.format(what=what, oldest=oldest) + "\n".join(pins) + "\n", encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {len(pins)} packages")


def main() -> int:
    """Make all four files."""
    if sys.version_info[:2] != OLDEST:
        print(f"error: run this with Python {'.'.join(map(str, OLDEST))}: the pins are made for it")
        return 1
    wanted = Wanted.read(ROOT / "pyproject.toml")
    with tempfile.TemporaryDirectory(prefix="pins-") as folder:
        ours = Scratch(Path(folder) / "ours")
        write("run.txt", "What the project needs to run, with all its extras", ours.add(wanted.run))
        write("build.txt", "What builds the project", ours.add(wanted.build))
        write(
            "dev.txt",
            "What tests, checks and documents it, beside run.txt and build.txt",
            ours.add(wanted.dev),
        )
        peer = Scratch(Path(folder) / "peer")
        write(
            "peer.txt",
            "The peer of interoperability tests and benchmarks, in an environment of its own",
            peer.add(wanted.peer),
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
