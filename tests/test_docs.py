"""The documentation is true: its code runs, its links lead somewhere, and nothing public lacks an entry.

A page's blocks run from top to bottom in a folder of their own, against simulated meters on free ports in the place of
4059 and whatever else ``meterwright simulate --port`` is given. ``console`` blocks hold commands after ``$`` and what they print on stdout, ``python`` blocks may be followed by an
``output`` block, ``toml`` blocks begin with the name of the file they are; … stands for anything, alone on a line for any
lines.
"""

import ast
import asyncio
import contextlib
import importlib
import inspect
import io
import json
import os
import pkgutil
import random
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType
from typing import Any, get_args

import pytest
from cyclopts import App, Parameter
from tools import generate_docs

import meterwright
from meterwright.cli import app
from meterwright.cli.commands import run_command_line
from meterwright.cli.exit_codes import ExitCode
from meterwright.cli.settings import Settings
from meterwright.companion import COMPANIONS, IS15959
from meterwright.cosem import INTERFACE_CLASSES
from meterwright.diagnose import explain
from meterwright.dictionary import error_rows
from meterwright.errors import MeterwrightError
from meterwright.firmware import Outcome, Phase, UpdateEvent, UpdateFailed
from meterwright.simulator import is15959_meter

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "meterwright"
PAGES = sorted([*DOCS.glob("*.md"), *DOCS.glob("decisions/*.md")])
PORT = "4059"
PATIENCE = 60.0
QUICK = ("--verify-seconds", "0.05", "--activate-seconds", "0.05", "--reboot-seconds", "0.2")

LANGUAGES = {"console", "python", "output", "toml"}
LANGUAGES_ELSEWHERE = {"text"}
"""What a drawing is marked with; only pages without code have it."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line it begins on."""

    language: str
    text: str
    line: int


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page, but for Sphinx's own."""
    found: list[Block] = []
    language, lines, start = "", list[str](), 0
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.startswith("```"):
            lines.append(line)
            continue
        if start:
            found.append(Block(language, "\n".join(lines) + "\n", start))
            start = 0
        else:
            language, lines, start = line.removeprefix("```"), [], number
    assert not start, f"{page.name}:{start}: the block has no end"
    return [block for block in found if not block.language.startswith("{")]


def name_of(page: Path) -> str:
    """How a page is called in this test."""
    return str(page.relative_to(DOCS).with_suffix(""))


WITH_CODE = [page for page in PAGES if {block.language for block in blocks_of(page)} & {"console", "python"}]


# ------------------------------------------------------------------------------------------------ code


class Reader:
    """Somebody who types what a page says, from top to bottom."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports: dict[str, str] = {}
        self.names: dict[str, Any] = {"__name__": "__main__"}
        self.said = ""
        self.meters: list[subprocess.Popen[str]] = []

    def reads(self, block: Block) -> None:
        """Do what a block says, and see that it is so."""
        text = self.here(block.text)
        match block.language:
            case "console":
                self.types(block.text)
            case "python":
                self.runs(text)
            case "output":
                expect(text, self.said)
            case "toml":
                name = text.splitlines()[0].removeprefix("# ")
                (self.folder / name).write_text(text, encoding="utf-8")
            case other:
                pytest.fail(f"nobody knows how to run {other or 'a block without a language'}")

    def here(self, text: str) -> str:
        """A text with the ports that the meters really have."""
        for written, port in self.ports.items():
            text = text.replace(written, port)
        return text

    def types(self, session: str) -> None:
        """Each command of a session; what it prints on stdout is what stands below it."""
        assert session.startswith("$ ")
        for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            if command.startswith("make "):
                # To run it would run this very test.
                subprocess.run(
                    ["make", "-n", command.split()[1]], cwd=ROOT, check=True, stdout=subprocess.PIPE
                )
            elif command.startswith("meterwright simulate"):
                said = self.starts(command, lines=printed.count("\n"))
                expect(self.here(printed), said)
            else:
                run = self.shell if set(command) & set("|;>$") else self.calls
                expect(self.here(printed), run(self.here(command)))

    def starts(self, command: str, *, lines: int) -> str:
        """Start meters that run until the page ends, on ports of their own; the lines they print."""
        _, *arguments = shlex.split(command)
        first = arguments.index("--port") + 1
        written, arguments[first] = arguments[first], "0"
        meters = subprocess.Popen(
            [sys.executable, "-m", "meterwright", *arguments, *QUICK],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.meters.append(meters)
        assert meters.stdout is not None
        said = "".join(meters.stdout.readline() for _ in range(lines))
        self.ports[written] = json.loads(said.splitlines()[0])["url"].rpartition(":")[2]
        return said

    def calls(self, command: str) -> str:
        """Run one command, ours in this process, which is quicker; what it printed on stdout."""
        name, *arguments = shlex.split(command)
        if name != "meterwright":
            return self.shell(command)
        said, told = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(told):
            code = run_command_line(arguments)
        assert code == 0, f"{command}\n{said.getvalue()}{told.getvalue()}"
        return said.getvalue()

    def shell(self, command: str) -> str:
        """Run a line by the shell, in processes of their own; what it printed on stdout."""
        environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        ended = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert ended.returncode == 0, f"{command}\n{ended.stdout}{ended.stderr}"
        return ended.stdout

    def runs(self, source: str) -> None:
        """Run Python as the interactive asyncio does: an await may stand anywhere."""
        code = compile(source, "documentation", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            running = FunctionType(code, self.names)()
            if inspect.iscoroutine(running):
                asyncio.run(running)
        self.said = said.getvalue()

    def leaves(self) -> None:
        """Switch the meters off."""
        for meters in self.meters:
            meters.terminate()
            assert meters.wait(PATIENCE) == 0
            if meters.stdout is not None:
                meters.stdout.close()


def expect(written: str, said: str) -> None:
    """What a page shows is what was printed; nothing shown, nothing compared."""
    if not written:
        return
    lines = [r"(?:.*\n)*?" if line == "…" else pattern_of(line) for line in written.splitlines()]
    printed = "".join(f"{line.rstrip()}\n" for line in said.splitlines())
    assert re.fullmatch("".join(lines), printed), (
        f"the page shows\n{written}\nand this was printed\n{printed}"
    )


def pattern_of(line: str) -> str:
    """A line in which … stands for anything."""
    return ".*".join(re.escape(part) for part in line.rstrip().split("…")) + r"\n"


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """A reader with an empty folder."""
    monkeypatch.chdir(tmp_path)
    somebody = Reader(tmp_path)
    yield somebody
    somebody.leaves()


@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
def test_the_code_of_a_page_runs(page: Path, reader: Reader) -> None:
    blocks = blocks_of(page)
    if PORT in page.read_text("utf-8") and not any("$ meterwright simulate" in each.text for each in blocks):
        reader.starts(f"meterwright simulate --port {PORT} --state-dir meters", lines=1)
    for block in blocks:
        try:
            reader.reads(block)
        except Exception as error:
            error.add_note(f"in {page.name}, line {block.line}")
            raise


def test_what_the_readme_shows_runs(reader: Reader) -> None:
    readme = ROOT / "README.md"
    (reader.folder / "image.bin").write_bytes(random.Random(1).randbytes(20_000))
    commands = re.findall(r"^ {4}(meterwright .*)$", readme.read_text("utf-8"), re.MULTILINE)
    assert len(commands) > 8
    for command in commands:
        if command.startswith("meterwright simulate"):
            reader.starts(command, lines=1)
        else:
            reader.calls(reader.here(command))
    [program] = blocks_of(readme)
    reader.reads(program)
    assert re.match(r"20\d\d-", reader.said)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_runs_or_is_output(page: Path) -> None:
    languages = {block.language for block in blocks_of(page)}
    assert languages <= (LANGUAGES if page in WITH_CODE else LANGUAGES_ELSEWHERE)
    assert not re.search(
        r"^ {4}\S", re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL), re.MULTILINE
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [("a\n", "b\n"), ("a …\n", "b c\n"), ("a\n…\nc\n", "a\nb\n"), ("a\n", "a\nb\n"), ("2.5\n", "2x5\n")],
)
def test_a_wrong_output_is_noticed(written: str, said: str) -> None:
    with pytest.raises(AssertionError):
        expect(written, said)


# ------------------------------------------------------------------------------------------------ links


@pytest.fixture(scope="module")
def drawn() -> dict[str, str]:
    """The generated pages."""
    return {name: page() for name, page in generate_docs.PAGES.items()}


def anchors(text: str) -> set[str]:
    """What the headings of a page can be linked by."""
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path, drawn: dict[str, str]) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        generated = linked.parent == DOCS / "_generated"
        assert linked.name in drawn if generated else linked.is_file(), target
        text = drawn[linked.name] if generated else linked.read_text("utf-8")
        assert not anchor or anchor in anchors(text), target


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "index.md").read_text("utf-8")
    listed = {line for line in index.splitlines() if re.fullmatch(r"[\w/]+", line)}
    guide = {name_of(page) for page in PAGES if page.parent == DOCS} - {"index"}
    assert listed == guide | {f"_generated/{Path(name).stem}" for name in generate_docs.PAGES}


@pytest.mark.parametrize("page", sorted(DOCS.glob("decisions/*.md")), ids=name_of)
def test_a_decision_is_short(page: Path) -> None:
    text = page.read_text("utf-8")
    assert len(text.splitlines()) <= 40
    assert all(f"**{part}.**" in text for part in ("Question", "Decision", "What it costs", "Rejected"))


# ------------------------------------------------------------------------------------------------ nothing is left out


def subclasses(root: type[MeterwrightError]) -> Iterator[type[MeterwrightError]]:
    """A class and all below it."""
    yield root
    for child in root.__subclasses__():
        yield from subclasses(child)


def commands(group: App, *path: str) -> Iterator[tuple[tuple[str, ...], App]]:
    """Every command below a group."""
    for name in group:
        if name.startswith("-"):
            continue
        command = group[name]
        yield (*path, name), command
        yield from commands(command, *path, name)


def options(command: App) -> Iterator[str]:
    """The options of a command that it shows."""
    if command.default_command is None:
        return
    for parameter in inspect.signature(command.default_command).parameters.values():
        noted = [each for each in get_args(parameter.annotation) if isinstance(each, Parameter)]
        if parameter.kind is parameter.KEYWORD_ONLY and all(each.show is not False for each in noted):
            yield f"--{parameter.name.replace('_', '-')}"


def test_every_error_has_an_entry(drawn: dict[str, str]) -> None:
    public = importlib.import_module("meterwright.errors").__all__
    for error in [*subclasses(MeterwrightError), *subclasses(UpdateFailed)]:
        assert f"`{error.__name__}`" in drawn["errors.md"]
    assert {"LinkError", "Timeout", "ServiceError"} <= set(public)


def test_every_command_and_option_has_an_entry(drawn: dict[str, str]) -> None:
    found = dict(commands(app))
    assert ("firmware", "update") in found
    for path, command in found.items():
        heading = f"# meterwright {' '.join(path)}\n"
        assert heading in drawn["cli.md"]
        section = drawn["cli.md"].split(heading)[1].split("\n#")[0]
        for option in options(command):
            assert f"`{option}" in section, f"{path} {option}"
    assert "--state-dir" in set(options(found["simulate",]))
    for code in ExitCode:
        assert f"| {int(code)} | {code.name.lower().replace('_', ' ')} |" in drawn["cli.md"]


def test_every_event_has_an_entry(drawn: dict[str, str]) -> None:
    for event in get_args(UpdateEvent):
        assert f"`{event.__name__}`" in drawn["events.md"]
    for room in ("cli", "firmware"):
        for path in (SOURCE / room).glob("*.py"):
            for name in re.findall(r'"event": "([\w-]+)"', path.read_text("utf-8")):
                assert f"| `{name}` |" in drawn["events.md"], path.name
    for each in (*Phase, *Outcome):
        assert f"`{each.value}`" in drawn["events.md"]


def test_every_phase_is_explained() -> None:
    text = (DOCS / "update.md").read_text("utf-8")
    rows = re.findall(r"^\| `(\w+)`", text.split("## The phases")[1].split("##")[0], re.MULTILINE)
    assert rows == [phase.value for phase in Phase]


def test_every_kind_of_failure_is_explained() -> None:
    text = (DOCS / "update.md").read_text("utf-8").split("## How it can fail")[1]
    kinds = {str(vars(failure)["kind"]) for failure in subclasses(UpdateFailed)}
    assert all(f"| `{kind}`" in text for kind in kinds)


def test_every_finding_of_an_update_has_an_entry(drawn: dict[str, str]) -> None:
    """All that is written like a code in the source of updates is one that is listed, or an outcome."""
    codes = {
        node.value
        for path in (SOURCE / "firmware").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch(r"[a-z]+(-[a-z]+)+", node.value)
    } - {outcome.value for outcome in Outcome}
    assert len(codes) > 40
    assert [code for code in sorted(codes) if f"| `{code}` |" not in drawn["findings.md"]] == []


def test_every_finding_of_explain_has_an_entry(drawn: dict[str, str]) -> None:
    chance = random.Random(1)
    inputs = [bytes([tag]) + chance.randbytes(chance.randrange(24)) for tag in range(256) for _ in range(4)]
    inputs += [b"", b"\0", bytes.fromhex("00010001001000"), bytes.fromhex("c701c1010102114373f23adf37a3")]
    codes = {finding.code for each in inputs for one in explain(each).all() for finding in one.findings}
    assert {"illegal-octet", "ciphered", "unknown-apdu-tag"} <= codes
    text = drawn["findings.md"] + drawn["results.md"]
    assert [code for code in sorted(codes) if f"`{code}`" not in text] == []


def test_every_result_code_has_an_entry(drawn: dict[str, str]) -> None:
    for _, meaning in error_rows():
        assert meaning.meaning in drawn["results.md"]


def test_every_public_name_has_an_entry(drawn: dict[str, str]) -> None:
    sections = dict(
        re.findall(r"^## (meterwright[\w.]*)\n(.*?)(?=^## |\Z)", drawn["names.md"], re.MULTILINE | re.DOTALL)
    )
    public = {"meterwright": list(meterwright.__all__)}
    for module in pkgutil.iter_modules(meterwright.__path__, "meterwright."):
        if not module.name.endswith("__main__"):
            public[module.name] = importlib.import_module(module.name).__all__
    assert sections.keys() == public.keys()
    for package, names in public.items():
        assert [name for name in names if f"| `{name}` |" not in sections[package]] == []


def test_every_class_and_its_members_have_an_entry(drawn: dict[str, str]) -> None:
    for (class_id, version), interface in INTERFACE_CLASSES.items():
        heading = f"## {interface.__name__} (class {class_id}, version {version})"
        section = drawn["classes.md"].split(heading)[1].split("\n## ")[0]
        names = [each.name for each in interface.attributes.values()]
        names += [each.name for each in interface.methods.values()]
        assert [name for name in names if f"`{name}`" not in section] == []


def test_every_association_of_a_companion_has_an_entry(drawn: dict[str, str]) -> None:
    section = drawn["companions.md"].split("## is15959")[1]
    for profile in IS15959.associations:
        row = re.search(rf"^\| {profile.client_sap} \| {profile.name} \| (.*)$", section, re.MULTILINE)
        assert row is not None
        named = (profile.logical_name, profile.counter, profile.security_setup)
        assert [each for each in named if each is not None and f"`{each}`" not in row[1]] == []
    assert generate_docs.SIMULATED.keys() == {each.name for each in COMPANIONS.values() if each.associations}


def test_every_object_of_a_simulated_companion_has_an_entry(drawn: dict[str, str]) -> None:
    meter = is15959_meter(1)
    for behaviour in meter.objects:
        row = re.search(rf"^\| `{behaviour.obis}` \|.*$", drawn["companions.md"], re.MULTILINE)
        assert row is not None
        seen = [bool(cell.strip()) for cell in row[0].split("|")[4:-1]]
        assert seen == [policy.sees(behaviour.obis) for policy in meter.associations]


def test_every_setting_has_an_entry(drawn: dict[str, str]) -> None:
    for name in Settings.model_fields:
        assert f"`METERWRIGHT_{name.upper()}`" in drawn["settings.md"]


def test_every_key_of_a_meters_file_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text('[meter]\nurl = "tcp://localhost"\nno_such_key = 1\n', encoding="utf-8")
    assert run_command_line(["get", "--meter", str(file), "0.0.1.0.0.255"]) == ExitCode.WRONG_USE
    hint = r"\[meter\] has (.*); its timeouts are (.*); \[keys\] has (.*); \[tls\] has (.*)"
    told = re.search(hint, capsys.readouterr().err)
    assert told is not None
    keys = [each for part in (1, 2, 4) for each in told[part].split(", ")]
    text = (DOCS / "reading.md").read_text("utf-8")
    assert len(keys) > 18
    assert [
        key for key in keys if not re.search(rf"`{key}`|^{key} = |\[meter\.{key}\]", text, re.MULTILINE)
    ] == []
    text = (DOCS / "keys.md").read_text("utf-8")
    assert [key for key in told[3].split(", ") if f"| `{key}` |" not in text] == []


REFUSED = {
    "names a protection and lacks a key or password for it": [
        'security = "encrypted"',
        'authentication = "high"',
        'authentication = "high-gmac"\n[keys]\nglobal_unicast = "00112233445566778899AABBCCDDEEF0"',
    ],
    "has a word that is not known": ['security = "much"', 'authentication = "high-ecdsa"', "securty = 1"],
    "takes a key from a file that others may write": [
        'security = "encrypted"\n[keys]\nglobal_unicast = "file:open"\nauthentication = "file:open"'
    ],
    "names the meter's own title as ours": [
        'system_title = "4D57530000000001"\nmeter_system_title = "4D57530000000001"'
    ],
    "has the books' test keys and a meter elsewhere": [
        'url = "tcp://192.0.2.7"\nsecurity = "encrypted"\n[keys]\nglobal_unicast = "000102030405060708090A0B0C0D0E0F"\nauthentication = "000102030405060708090A0B0C0D0E0F"'
    ],
}
"""What docs/security.md says is refused of a meter's file, and files that are."""


@pytest.mark.parametrize("words", REFUSED)
def test_what_the_security_page_calls_refused_is_refused(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert f"- {words}" in (DOCS / "security.md").read_text("utf-8")
    (tmp_path / "open").write_text("00112233445566778899AABBCCDDEEF0", encoding="ascii")
    (tmp_path / "open").chmod(0o666)
    for lines in REFUSED[words]:
        file = tmp_path / "meter.toml"
        url = "" if "url" in lines else 'url = "tcp://127.0.0.1:1"\n'
        file.write_text(f"[meter]\n{url}{lines}\n", encoding="utf-8")
        assert run_command_line(["get", "--meter", str(file), "0.0.1.0.0.255"]) == ExitCode.WRONG_USE
        assert "error: " in capsys.readouterr().err


def test_pages_are_drawn_into_a_folder(tmp_path: Path) -> None:
    assert generate_docs.main([str(tmp_path / "new")]) == 0
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(generate_docs.PAGES)
    assert generate_docs.main([]) == 2
