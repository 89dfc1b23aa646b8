"""Writes the pages of the documentation that are drawn from the code: `make docs` calls it.

    python -m tools.generate_docs FOLDER

===============  ===================================================================================================
page             drawn from
===============  ===================================================================================================
cli.md           `meterwright.cli:app`, the cyclopts application, and the exit codes
errors.md        every subclass of `MeterwrightError` in the whole package, and the exit code of each
events.md        the events of an update, and every other JSON line that the source writes
findings.md      every finding that the source of `firmware`, `cli` and `diagnose` can raise
results.md       the dictionary of result codes with their causes
classes.md       `meterwright.cosem:INTERFACE_CLASSES`
association.md   `meterwright.association:TRANSITIONS`
companions.md    `meterwright.companion:COMPANIONS`, and the simulated meter of each
settings.md      the fields of `meterwright.cli.settings:Settings`
names.md         `__all__` of every package
conformance.md   what the tests say that they prove (`tools/conformance.py`)
===============  ===================================================================================================

What lacks a docstring, or cannot be told, ends it with 1 and a sentence. To add a page, write a function that returns its
text and enter it in PAGES. The pages are never committed.
"""

import ast
import importlib
import inspect
import itertools
import json
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, Final

from tools import conformance

import meterwright
from meterwright.association import TRANSITIONS, Signal
from meterwright.cli import app
from meterwright.cli.exit_codes import EXIT_CODES, ExitCode
from meterwright.cli.objects import describe_rights
from meterwright.cli.settings import Settings
from meterwright.cli.update_display import PHASES
from meterwright.cli.words import AUTHENTICATIONS
from meterwright.companion import COMPANIONS, AssociationProfile
from meterwright.cosem import INTERFACE_CLASSES, InterfaceClass
from meterwright.data import DataType
from meterwright.dictionary import ErrorMeaning, describe, error_rows
from meterwright.errors import MeterwrightError
from meterwright.firmware import (
    FindingRaised,
    Outcome,
    PhaseEntered,
    Progress,
    UpdateEvent,
    UpdateFailed,
    UpdateResult,
)
from meterwright.simulator import AssociationPolicy, Behaviour, SimulatedMeter, is15959_meter
from meterwright.values import Conformance, Finding, Level

GENERATED: Final = "<!-- Made by tools/generate_docs.py from the source. Do not edit. -->\n\n"


class CannotGenerate(Exception):
    """A page cannot be drawn; the message says what the source lacks."""


# ------------------------------------------------------------------------------------------------ pages


def cli_page() -> str:
    """Every command with its options, as `--help` tells them, and the exit codes."""
    codes = table(("code", "meaning"), ((str(int(code)), worded(code)) for code in ExitCode))
    text = app.generate_docs(output_format="markdown").replace("# meterwright\n", "# Command line\n", 1)
    version = "`meterwright --version` prints the version."
    return f"{text}\n{version}\n\n## Exit codes\n\n{codes}"


def errors_page() -> str:
    """The tree of errors, and the exit code each ends the command line with."""
    import_everything()
    rows = (
        (
            "&nbsp;" * 4 * depth + f"`{error.__name__}`",
            summary(error),
            error.blame.value,
            str(int(code_of(error))),
        )
        for depth, error in tree(MeterwrightError)
    )
    return (
        "# Errors\n\n"
        "Everything that can go wrong derives from `MeterwrightError`. An error says what happened, where, whose fault\n"
        "it is and what to try; the command line prints that and ends with the exit code.\n\n"
        + table(("error", "meaning", "fault of", "exit code"), rows)
        + "\nThree are told apart more finely: an association that was rejected for its authentication, and an exception\n"
        "that speaks of deciphering or of a counter, end with 6; a meter that stays silent after activation with 5.\n"
    )


def events_page() -> str:
    """What an update tells while it runs, and the other JSON lines of the command line."""
    parts = [
        "# Events\n",
        "`meterwright firmware update --json` prints one JSON object a line; `update(…, emit=…)` hands over the same",
        "events as objects, and their `as_json()` is that line. The last event is the result.\n",
    ]
    for event in EXAMPLES:
        line = event.as_json()
        parts += [f"## {line['event']}\n", f"`{type(event).__name__}`. {prose(type(event))}\n"]
        parts += ["```json", json.dumps(line, indent=2, ensure_ascii=False), "```\n"]
    phases = ((f"`{phase.value}`", told) for phase, told in PHASES.items())
    outcomes = ((f"`{outcome.value}`",) for outcome in Outcome)
    lines = ((f"`{name}`", ", ".join(f"`{key}`" for key in keys)) for name, keys in json_lines())
    parts += ["## Phases\n", table(("phase", "what happens"), phases)]
    parts += ["## Outcomes\n", table(("outcome",), outcomes)]
    parts += ["## Every JSON line\n", "Keys that are added by what the line is about are shown as `…`.\n"]
    parts.append(table(("event", "keys"), lines))
    return "\n".join(parts)


EXAMPLES: Final[Sequence[UpdateEvent]] = (
    PhaseEntered(next(iter(PHASES))),
    Progress(blocks_done=256, blocks_total=513, octets_done=32768, octets_total=65613, rate=48.3, eta=5.3),
    FindingRaised(Finding(Level.WARNING, "foreign-image", "the block map is not the one we left: …")),
    UpdateResult(Outcome.DONE, 257, 256, "MW-1.0", "NEW-2.0"),
)


def findings_page() -> str:
    """The code of every finding, with what it says and what to try."""
    return "\n".join(
        [
            "# Findings\n",
            "A finding has a level (`error`, `warning`, `info`), a code for programs, a message, and what to try. `…`",
            "stands for what is known only then. Causes of result codes that `explain` gives have the codes under",
            "[result codes](results.md).\n",
            "## Of an update\n",
            "A failure is a finding of level `error`; its kind says whose failure it is.\n",
            table(("code", "level or kind", "exit code", "says", "try"), map(update_row, update_codes())),
            "## Of explain\n",
            table(("code", "level", "says", "try"), map(explain_row, explain_codes())),
        ]
    )


def results_page() -> str:
    """What result codes mean, what causes them, and what to do."""
    parts = [
        "# Result codes\n",
        "What a meter can answer, in plain words, with the likely causes; the most likely first. Behind the comma of a",
        "name stands the situation the row is for. This is what `meterwright explain` tells.\n",
    ]
    for name, rows in itertools.groupby(error_rows(), key=lambda row: row[0]):
        parts.append(f"## {name}\n")
        parts.append(
            table(("code", "name", "meaning", "causes"), (result_row(meaning) for _, meaning in rows))
        )
    return "\n".join(parts)


def classes_page() -> str:
    """The interface classes, as declared."""
    parts = [
        "# Interface classes\n",
        "The declarations that serve the client, the simulated meter and `explain` alike. An attribute of any other class",
        "is read by its number, see [reading a meter](../reading.md).\n",
    ]
    for (class_id, version), interface in sorted(INTERFACE_CLASSES.items()):
        at = f" Logical name `{interface.instance}` unless given." if interface.instance else ""
        parts += [
            f"## {interface.__name__} (class {class_id}, version {version})\n",
            f"{prose(interface)}{at}\n",
        ]
        parts += members(interface)
    return "\n".join(parts)


def association_page() -> str:
    """The states of an association, as a drawing and as a table."""
    moves: dict[tuple[str, str], list[str]] = {}
    for state, row in TRANSITIONS.items():
        for signal, following in row.items():
            moves.setdefault((state.value, following.value), []).append(signal.value)
    drawn = [
        f"{start:>10} ──( {' | '.join(signals)} )──▶ {end}"
        for (start, end), signals in moves.items()
        if start != end
    ]
    rows = (
        (f"**{state.value}**", *(row[signal].value if signal in row else "" for signal in Signal))
        for state, row in TRANSITIONS.items()
    )
    return "\n".join(
        [
            "# States of an association\n",
            "One table serves both roles: what one side sends the other receives, and both move alike. A signal without a",
            "place in a state is an error of whoever sent it: `LocalProtocolError` ours, `RemoteProtocolError` theirs.\n",
            "```text",
            *drawn,
            "```\n",
            table(("state", *(signal.value for signal in Signal)), rows),
        ]
    )


def companions_page() -> str:
    """The associations of each companion, and who may do what with the objects of its simulated meter."""
    parts = [
        "# Companion specifications\n",
        "What `meterwright.companion` says of its meters, and what the simulated meter of each shows to whom. A number behind",
        "*write* is an attribute, behind *call* a method.\n",
    ]
    for companion in COMPANIONS.values():
        if not companion.associations:
            continue
        parts += [f"## {companion.name}\n", f"{companion.title}.\n"]
        head = (
            "client",
            "name",
            "authentication",
            "security",
            "association",
            "counter",
            "security setup",
            "services",
        )
        parts += [table(head, map(association_row, companion.associations))]
        meter = SIMULATED[companion.name](1)
        saps = [f"client {each.client_sap}" for each in meter.associations]
        parts += [f"### Objects of a simulated {companion.name} meter\n"]
        parts += [
            table(("object", "class", "name", *saps), (object_row(each, meter) for each in meter.objects))
        ]
    return "\n".join(parts)


SIMULATED: Final[Mapping[str, Callable[[int], SimulatedMeter]]] = {"is15959": is15959_meter}
"""The simulated meter of each companion that has associations of its own."""


def settings_page() -> str:
    """The settings, where they come from and what they are unless set."""
    rows: list[tuple[str, ...]] = []
    for name, field in Settings.model_fields.items():
        default = "a folder of the user's" if field.default_factory else str(field.default)
        rows.append((f"`{name}`", f"`METERWRIGHT_{name.upper()}`", default, field.description or ""))
    told = inspect.getmodule(Settings)
    return (
        "# Settings\n\n" + (prose(told) if told else "") + "\n\n"
        "`meterwright --show-config` prints what is in force. Times are in seconds.\n\n"
        + table(("setting", "environment", "default", "meaning"), rows)
    )


def names_page() -> str:
    """Every public name, by package."""
    parts = [
        "# Public names\n",
        "What `import meterwright` offers comes first; the packages below it have more, each by its own name.\n",
        "## meterwright\n",
        table(("name", "from", "meaning"), map(top_row, meterwright.__all__)),
    ]
    for package in packages():
        names: list[str] = package.__all__
        rows = ((f"`{name}`", meaning(package, name)) for name in names)
        parts += [f"## {package.__name__}\n", f"{prose(package)}\n", table(("name", "meaning"), rows)]
    return "\n".join(parts)


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "cli.md": cli_page,
    "errors.md": errors_page,
    "events.md": events_page,
    "findings.md": findings_page,
    "results.md": results_page,
    "classes.md": classes_page,
    "association.md": association_page,
    "companions.md": companions_page,
    "settings.md": settings_page,
    "names.md": names_page,
    "conformance.md": conformance.page,
}


# ------------------------------------------------------------------------------------------------ rows


def update_row(code: "Code") -> tuple[str, ...]:
    """A finding of an update."""
    failure = next((each for _, each in tree(UpdateFailed) if each.__name__ == code.kind), None)
    if failure is None:
        return f"`{code.name}`", code.kind, "", code.message, code.hint
    exit_code = EXIT_OF_FINDING.get(code.name) or code_of(failure)
    return f"`{code.name}`", str(vars(failure)["kind"]), str(int(exit_code)), code.message, code.hint


EXIT_OF_FINDING: Final = {
    "interrupted": ExitCode.INTERRUPTED,
    "silent-after-activation": ExitCode.UNREACHABLE,
    "wrong-use": ExitCode.WRONG_USE,
}
"""Findings that end the command line with another code than their class does."""


def explain_row(code: "Code") -> tuple[str, ...]:
    """A finding of explain."""
    return f"`{code.name}`", code.kind, code.message, code.hint


def result_row(meaning: ErrorMeaning) -> tuple[str, ...]:
    """A result code with its causes."""
    situation = f", {meaning.context.value}" if meaning.context else ""
    causes = "<br>".join(f"`{each.name}`: {each.text}. *{each.next_step}*" for each in meaning.causes)
    return str(meaning.code), f"{meaning.name}{situation}", meaning.meaning, causes


def association_row(profile: AssociationProfile) -> tuple[str, ...]:
    """An association of a companion."""
    words = {mechanism: word for word, mechanism in AUTHENTICATIONS.items()}
    named = [
        f"`{each}`" if each else ""
        for each in (profile.logical_name, profile.counter, profile.security_setup)
    ]
    return (
        str(profile.client_sap),
        profile.name,
        f"`{words[profile.authentication]}`",
        f"`{profile.policy.label}`",
        *named,
        ", ".join(worded(service) for service in Conformance if service in profile.conformance),
    )


def object_row(behaviour: Behaviour, meter: SimulatedMeter) -> tuple[str, ...]:
    """An object of a simulated meter, and what each client may do with it."""
    rights = (object_rights(behaviour, policy) for policy in meter.associations)
    return f"`{behaviour.obis}`", str(behaviour.interface.class_id), describe(behaviour.obis), *rights


def object_rights(behaviour: Behaviour, policy: AssociationPolicy) -> str:
    """What the client of an association may do with an object; nothing where it does not see it."""
    if not policy.sees(behaviour.obis):
        return ""
    attributes, methods = describe_rights(behaviour.list_element(may_write=policy.may_write), 1)
    writes = [str(number) for number, right in attributes.items() if "write" in right]
    calls = [str(number) for number, right in methods.items() if right == "call"]
    parts = [
        "read",
        *(f"{verb} {' '.join(found)}" for verb, found in (("write", writes), ("call", calls)) if found),
    ]
    return ", ".join(parts)


def members(interface: type[InterfaceClass[Any]]) -> Iterator[str]:
    """The attributes and methods of a class."""
    attributes = (
        (str(each.attribute_id), f"`{each.name}`", each.type.name, "static" if each.static else "")
        for each in interface.attributes.values()
    )
    yield table(("attribute", "name", "type", ""), attributes)
    methods = (
        (str(each.method_id), f"`{each.name}`", each.parameter.name, each.returns.name)
        for each in interface.methods.values()
    )
    if interface.methods:
        yield table(("method", "name", "parameter", "returns"), methods)


def top_row(name: str) -> tuple[str, ...]:
    """A name that the package itself offers."""
    found: object = getattr(meterwright, name)
    home = inspect.getmodule(found)
    origin = "" if home is None else ".".join(home.__name__.split(".")[:2])
    return f"`{name}`", f"`{origin}`" if origin else "", meaning(meterwright, name)


def meaning(package: object, name: str) -> str:
    """What a public name is: its docstring's first paragraph, a note behind its declaration, or its type."""
    found: object = getattr(package, name)
    if inspect.isclass(found) or inspect.isroutine(found):
        return summary(found)
    return notes().get(name) or plainly(found)


def plainly(value: object) -> str:
    """What a constant is, where nobody wrote it down."""
    match value:
        case DataType():
            return f"The Data type {value.name}."
        case UnionType():
            return f"One of: {', '.join(getattr(each, '__name__', str(each)) for each in value.__args__)}."
        case int() | str():
            return f"`{value!r}`"
        case _:
            return f"A {type(value).__name__}."


# ------------------------------------------------------------------------------------------------ findings in the source


@dataclass(frozen=True, slots=True)
class Code:
    """A finding that the source can raise: its code, level or class of failure, message and what to try."""

    name: str
    kind: str
    message: str
    hint: str


RAISING: Final = {
    "Finding": "",
    "_error": "error",
    "_note": "info",
    "_refused": "error",
    "error": "error",
    "quirk": "warning",
}
"""Functions that make findings, with the level of those that have one of their own."""


def update_codes() -> list[Code]:
    """The findings of an update, each code with its kind once."""
    return unique((*found_in("firmware"), *found_in("cli")))


def explain_codes() -> list[Code]:
    """The findings of explain, but for the causes of result codes."""
    return unique(found_in("diagnose"))


def unique(codes: Iterable[Code]) -> list[Code]:
    """Sorted by code, the same code of the same kind once."""
    return list({(code.name, code.kind): code for code in sorted(codes, key=lambda code: code.name)}.values())


def found_in(room: str) -> Iterator[Code]:
    """Every call in a room that makes a finding or a failure."""
    for module in sources(room):
        for scope in ast.walk(module):
            if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
                yield from in_scope(scope)


def in_scope(scope: ast.FunctionDef | ast.AsyncFunctionDef | ast.Module) -> Iterator[Code]:
    """The findings made in one function, or outside of all."""
    failures = {failure.__name__ for _, failure in tree(UpdateFailed)}
    known: dict[str, ast.expr] = {}
    for node in own_nodes(scope):  # in the order of the source: a name means what it was given last
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                known[name] = value
            case ast.Tuple(elts=[ast.Name(id=kind), ast.Constant(value=str(code))]) if kind in failures:
                yield Code(code, kind, WHAT_WAS_SAID, "")
            case ast.Call(func=ast.Name(id=callee)):
                kinds = failures.intersection(names(known.get(callee, node.func)))
                if kinds or callee in RAISING:
                    yield from made_by(node, callee, known, sorted(kinds) or [RAISING[callee]])
            case _:
                pass


WHAT_WAS_SAID: Final = "the error itself, in its own words"


def made_by(
    call: ast.Call, callee: str, known: Mapping[str, ast.expr], kinds: Sequence[str]
) -> Iterator[Code]:
    """The findings that one call can make."""
    given = list(call.args)
    if given and isinstance(level := given[0], ast.Attribute):
        kinds, given = [level.attr.lower()], given[1:]  # Level.WARNING
    if callee == "_refused":
        given = given[1:]  # without whose line it is
    hint = next((keyword.value for keyword in call.keywords if keyword.arg == "hint"), None)
    for name, kind in itertools.product(constants(given[0], known) if given else (), kinds):
        told = text_of(given[1], known) if len(given) > 1 else UNKNOWN
        tried = "" if hint is None else text_of(hint, known)
        prefix = "quirk-" if callee == "quirk" else ""
        yield Code(prefix + name, kind, WHAT_WAS_SAID if told == UNKNOWN else told, tried)


def names(node: ast.expr) -> Iterator[str]:
    """The names that an expression can be."""
    match node:
        case ast.Name(id=name):
            yield name
        case ast.IfExp(body=body, orelse=orelse):
            yield from names(body)
            yield from names(orelse)
        case _:
            return


def constants(node: ast.expr, known: Mapping[str, ast.expr]) -> Iterator[str]:
    """The texts that an expression can be; nothing where it is handed in from outside."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from constants(body, known)
            yield from constants(orelse, known)
        case ast.Name(id=name) if name in known:
            yield from constants(known[name], known)
        case _:
            return


UNKNOWN: Final = "…"


def text_of(node: ast.expr, known: Mapping[str, ast.expr]) -> str:
    """A text as far as the source tells it; … stands for the rest."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            text = "".join(text_of(each, known) for each in values)
            return text.replace(UNKNOWN * 2, UNKNOWN)
        case ast.FormattedValue(value=ast.Name() as value) | (ast.Name() as value) if value.id in known:
            return text_of(known[value.id], {name: each for name, each in known.items() if name != value.id})
        case ast.IfExp(body=body, orelse=orelse):
            return " / ".join(text for each in (body, orelse) if (text := text_of(each, known)))
        case _:
            return UNKNOWN


def json_lines() -> Iterator[tuple[str, list[str]]]:
    """Every object with a key `event` that the source writes: its event and its keys."""
    found: dict[str, list[str]] = {}
    for node in itertools.chain.from_iterable(
        ast.walk(module) for room in ("firmware", "cli") for module in sources(room)
    ):
        if not isinstance(node, ast.Dict):
            continue
        keys = ["…" if key is None else next(constants(key, {}), "…") for key in node.keys]
        if keys[:1] == ["event"]:
            name = next(constants(node.values[0], {}))
            found.setdefault(name, keys[1:])
    yield from sorted(found.items())


def own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function or module, without those of functions in it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from own_nodes(child)


# ------------------------------------------------------------------------------------------------ the package


@cache
def sources(room: str) -> tuple[ast.Module, ...]:
    """The modules of a room, parsed."""
    folder = Path(meterwright.__file__).parent / room
    return tuple(ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py")))


@cache
def notes() -> Mapping[str, str]:
    """The sentences that stand behind the declarations of constants, by their names."""
    found: dict[str, str] = {}
    for module in sources("."):
        for before, after in itertools.pairwise(module.body):
            match before, after:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[name] = one_line(text)
                case _:
                    pass
    return found


def packages() -> Iterator[Any]:
    """Every package and module directly below the package that has public names."""
    for module in pkgutil.iter_modules(meterwright.__path__, "meterwright."):
        if not module.name.endswith(".__main__"):
            package = importlib.import_module(module.name)
            if hasattr(package, "__all__"):
                yield package


def import_everything() -> None:
    """Import every module, so that every subclass is known."""
    for module in pkgutil.walk_packages(meterwright.__path__, "meterwright."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)


def tree(root: type[MeterwrightError], depth: int = 0) -> Iterator[tuple[int, type[MeterwrightError]]]:
    """The class and all below it, depth first, in the order of their names."""
    yield depth, root
    for child in sorted(root.__subclasses__(), key=lambda error: error.__name__):
        yield from tree(child, depth + 1)


def code_of(error: type[MeterwrightError]) -> ExitCode:
    """The code of the class, or of the nearest class it derives from."""
    for base in error.__mro__:
        if issubclass(base, MeterwrightError) and base in EXIT_CODES:
            return EXIT_CODES[base]
    raise CannotGenerate(f"meterwright.cli.exit_codes:EXIT_CODES tells no code for {error.__name__}")


def summary(found: object) -> str:
    """The first paragraph of its own docstring, on one line."""
    own = inspect.getdoc(found) if inspect.isroutine(found) else vars(found).get("__doc__")
    if not isinstance(own, str) or not own.strip():
        raise CannotGenerate(f"{getattr(found, '__qualname__', found)!s} has no docstring")
    return one_line(inspect.cleandoc(own).split("\n\n")[0])


def prose(found: object) -> str:
    """Its whole docstring as running text, without examples and tables."""
    own = vars(found).get("__doc__")
    if not isinstance(own, str):
        raise CannotGenerate(f"{found!r} has no docstring")
    paragraphs = inspect.cleandoc(own).split("\n\n")
    return "\n\n".join(
        one_line(each) for each in paragraphs if not each.startswith(("    ", "===", "```")) and each != "::"
    )


def worded(member: Enum) -> str:
    """The name of an enumeration's member as words."""
    return member.name.lower().replace("_", " ")


def one_line(text: str) -> str:
    """Text without line ends."""
    return " ".join(text.split())


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell(each) for each in line)} |\n" for line in lines)


def cell(text: str) -> str:
    """Text that cannot end a cell."""
    return text.replace("|", "\\|")


def main(arguments: list[str]) -> int:
    """Write all pages into the folder; 1 and a sentence where one cannot be drawn."""
    if len(arguments) != 1:
        print("usage: python -m tools.generate_docs FOLDER", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        try:
            text = page()
        except (CannotGenerate, conformance.CannotCollect) as reason:
            print(f"error: {name} cannot be generated: {reason}", file=sys.stderr)
            return 1
        (folder / name).write_text(GENERATED + text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
