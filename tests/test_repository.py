"""What may stand in this repository, and in which words."""

import ast
import importlib.metadata
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "meterwright"
MODULES = sorted(SOURCE.rglob("*.py"))

MIB = 1024 * 1024
LONGEST_MODULE = 600  # lines; 400 is what to aim for

# Put together here so that this very file names none of them.
REGISTRY_HOSTS = [
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("deb", "debian", "org"),
        ("security", "debian", "org"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
    )
]

# One word for one thing, in code, command line and documentation. Word to avoid: word to use.
WORDS = {"device": "meter", "endpoint": "meter", "rollout": "campaign"}
# Phrases in which such a word is right, each with its reason.
ALLOWED_PHRASES = {
    r"logical[ _-]?devices?": "the standard's own name for a server inside a meter",
    r"m-bus[ _-]devices?": "the standard's own name for what hangs on a meter's M-Bus",
    r"device[ _-]id": "the Blue Book's name of the objects 0-b:96.1.x",
    r"device[ _-]type": "the Blue Book's name of attributes of M-Bus objects",
    r"create_datagram_endpoint": "asyncio's name of what opens a UDP socket",
    r"device reports a hardware fault": "what another library prints; people search for it",
}

# An ignore must name its rule and say why: `# type: ignore[code]  # reason`.
IGNORE = re.compile(r"#\s*(?:type|pyright):\s*ignore(?P<rule>\[[\w, -]+\])?(?P<rest>.*)")

# Rooms of the core: they must stand in the import-linter contract as soon as they are built.
CORE_ROOMS = {
    "values", "errors", "codec", "data", "apdu", "dictionary", "security", "link", "cosem", "association", "exchange",
    "companion",
}  # fmt: skip
# Contracts that bind every room but these.
EXEMPT_ROOMS = {
    "cryptography": {"security", "image", "fleet"},
    "command-line": {"cli"},
    "serial": {"transport"},
}


def tracked_files() -> list[Path]:
    """What is committed or would be with the next commit: all files git does not ignore."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listing = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    paths = {ROOT / os.fsdecode(name) for name in listing.split(b"\0") if name}
    return sorted(path for path in paths if path.is_file())


def project() -> dict[str, Any]:
    """The contents of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def rooms() -> set[str]:
    """The rooms of the house that are built."""
    packages = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    return packages | {path.stem for path in SOURCE.glob("*.py") if not path.stem.startswith("__")}


def prose_files() -> Iterator[Path]:
    """Every file whose words a user or contributor reads as ours."""
    for path in tracked_files():
        relative = path.relative_to(ROOT)
        if relative.parts[0] in {"src", "docs", "examples"} or relative.suffix == ".md":
            yield path


class TestWhatIsCommitted:
    """Small text files that name no registry."""

    def test_there_is_something_to_look_at(self) -> None:
        assert ROOT / "pyproject.toml" in tracked_files()
        assert MODULES

    def test_no_file_is_large(self) -> None:
        assert [path for path in tracked_files() if path.stat().st_size > MIB] == []

    def test_all_files_are_text(self) -> None:
        assert [path for path in tracked_files() if not is_text(path)] == []

    def test_no_package_registry_is_named(self) -> None:
        found = [
            f"{path.relative_to(ROOT)}: {host}"
            for path in tracked_files()
            for host in REGISTRY_HOSTS
            if host.encode() in path.read_bytes().lower()
        ]
        assert found == []


class TestRequirements:
    """Every package is pinned, by name and version alone."""

    def test_requirements_are_pins_and_nothing_else(self) -> None:
        pin = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!+]+")
        wrong = [
            f"{path.name}: {line}"
            for path in (ROOT / "requirements").glob("*.txt")
            for line in path.read_text(encoding="utf-8").splitlines()
            if line and not line.startswith("#") and not pin.fullmatch(line)
        ]
        assert wrong == []

    @pytest.mark.parametrize(
        ("files", "tables"),
        [
            (["run.txt"], ["dependencies", "extras"]),
            (["build.txt"], ["build"]),
            (["run.txt", "build.txt", "dev.txt"], ["dev"]),
            (["peer.txt"], ["peer"]),
        ],
        ids=["run", "build", "dev", "peer"],
    )
    def test_what_is_declared_is_pinned(self, files: list[str], tables: list[str]) -> None:
        document = project()
        declared = {
            "dependencies": document["project"]["dependencies"],
            "extras": [
                one for extra in document["project"]["optional-dependencies"].values() for one in extra
            ],
            "build": document["build-system"]["requires"],
            "dev": document["dependency-groups"]["dev"],
            "peer": document["dependency-groups"]["peer"],
        }
        wanted = {normalised(one) for table in tables for one in declared[table]} - {"meterwright"}
        assert wanted
        assert wanted - pinned(files) == set()

    def test_a_pin_stands_in_one_file_of_an_environment(self) -> None:
        names = [name for file in ("run.txt", "build.txt", "dev.txt") for name in sorted(pinned([file]))]
        assert sorted(names) == sorted(set(names))


class TestModules:
    """Each module tells what it is, is not too long, and explains what it silences."""

    def test_every_module_has_a_docstring(self) -> None:
        without = [path for path in MODULES if ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None]
        assert without == []

    def test_no_module_is_too_long(self) -> None:
        long = {path.name: lines for path in MODULES if (lines := line_count(path)) > LONGEST_MODULE}
        assert long == {}

    def test_no_module_is_a_drawer_for_everything(self) -> None:
        assert [
            path for path in MODULES if path.stem.strip("_") in {"utils", "util", "helpers", "misc"}
        ] == []

    def test_ignores_name_their_rule_and_say_why(self) -> None:
        unexplained = [
            f"{path.relative_to(ROOT)}:{number}"
            for path in tracked_files()
            if path.suffix == ".py"
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
            if not ignores_are_explained(line)
        ]
        assert unexplained == []

    @pytest.mark.parametrize(
        ("line", "explained"),
        [
            ("x = 1", True),
            ("x = y  # type: " + "ignore", False),
            ("x = y  # type: " + "ignore[arg-type]", False),
            ("x = y  # type: " + "ignore[arg-type]  # the library's stub is wrong", True),
            ("x = y  # pyright: " + "ignore  # a reason without its rule", False),
            ("x = y  # pyright: " + "ignore[reportPrivateUsage]  # the test looks inside", True),
            ("x = y  # type: " + "ignore[a]  # pyright: " + "ignore[b]", False),
            ("x = y  # type: " + "ignore[a]  # pyright: " + "ignore[b]  # refused on purpose", True),
        ],
        ids=["none", "bare", "no-reason", "reason", "no-rule", "both", "two-no-reason", "two-reason"],
    )
    def test_what_counts_as_explained(self, line: str, *, explained: bool) -> None:
        assert ignores_are_explained(line) is explained


class TestWords:
    """One word for one thing."""

    @pytest.mark.parametrize("word", WORDS)
    def test_a_registered_word_is_used(self, word: str) -> None:
        found = [
            f"{path.relative_to(ROOT)}:{number}: say {WORDS[word]}: {line.strip()}"
            for path in prose_files()
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
            if says(word, line)
        ]
        assert found == []

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("the device answers", True),
            ("class DeviceError:", True),
            ("device_name = 1", True),
            ("Devices", True),
            ("/dev/ttyUSB0", False),
            ("the logical device name", False),
            ("class LogicalDevice:", False),
            ("logical_device_name of the device", True),
        ],
    )
    def test_what_counts_as_said(self, line: str, *, said: bool) -> None:
        assert says("device", line) is said


class TestTheHouse:
    """The import-linter contracts name every room they should."""

    def test_the_core_contract_names_every_core_room(self) -> None:
        assert contract_rooms("core") == CORE_ROOMS & rooms()

    @pytest.mark.parametrize("contract", EXEMPT_ROOMS)
    def test_a_contract_names_every_room_but_the_exempt(self, contract: str) -> None:
        assert contract_rooms(contract) == rooms() - EXEMPT_ROOMS[contract]

    def test_a_room_that_is_built_is_not_in_brackets(self) -> None:
        layers: list[str] = next(one for one in contracts() if one["id"] == "layers")["layers"]
        bracketed = {name for layer in layers for name in re.findall(r"\((\w+)\)", layer)}
        assert bracketed & rooms() == set()


def test_the_version_is_the_installed_one() -> None:
    assert importlib.metadata.version("meterwright") == project()["project"]["version"]


def is_text(path: Path) -> bool:
    """Whether it is UTF-8 without control characters that text does not have."""
    try:
        return "\0" not in path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return False


def line_count(path: Path) -> int:
    """Its lines."""
    return len(path.read_text(encoding="utf-8").splitlines())


def ignores_are_explained(line: str) -> bool:
    """Whether every ignore on the line names a rule and, after the last one, a reason stands."""
    comments = re.split(r"(?=#\s*(?:type|pyright):\s*ignore)", line)[1:]
    found = [IGNORE.match(comment) for comment in comments]
    named = all(match is not None and match["rule"] for match in found)
    reason = found[-1]["rest"].strip(" #–-") if found and found[-1] else "none needed"
    return named and len(reason) >= len("why")


def says(word: str, line: str) -> bool:
    """Whether the word stands in the line outside the phrases in which it is right; parts of identifiers count."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", line).lower()
    for phrase in ALLOWED_PHRASES:
        words = re.sub(phrase, "", words)
    return re.search(rf"(?<![a-z]){word}s?(?![a-z])", words) is not None


def normalised(requirement: str) -> str:
    """The name of a requirement as registries compare it."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def pinned(files: list[str]) -> set[str]:
    """The names pinned in these files."""
    return {
        normalised(line)
        for file in files
        for line in (ROOT / "requirements" / file).read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }


def contracts() -> list[dict[str, Any]]:
    """The import-linter contracts."""
    found: list[dict[str, Any]] = project()["tool"]["importlinter"]["contracts"]
    return found


def contract_rooms(contract: str) -> set[str]:
    """The rooms a forbidden contract binds."""
    sources: list[str] = next(one for one in contracts() if one["id"] == contract)["source_modules"]
    return {source.removeprefix("meterwright.") for source in sources}
