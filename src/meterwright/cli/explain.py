"""`meterwright explain`: octets in, their meaning out. The work is done in `diagnose`; here they are fetched and coloured."""

import json as json_module
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Annotated, Final

from cyclopts import Parameter
from rich.text import Text

from meterwright.cli.exit_codes import ExitCode
from meterwright.cli.output import stdout
from meterwright.cli.secrets import resolve_secret
from meterwright.diagnose import OpeningKeys, Style, explain_batch, explain_line, read_octets, render_lines
from meterwright.diagnose import explain as explain_octets
from meterwright.errors import UsageError

__all__ = ["explain"]

_STDIN: Final = "-"
_LARGEST_INPUT: Final = 16 << 20
_STYLES: Final[Mapping[Style, str]] = {
    Style.TITLE: "bold",
    Style.LAYER: "cyan",
    Style.GROUP: "cyan",
    Style.READ: "",
    Style.ILLEGAL: "bold red",
    Style.UNREAD: "dim",
    Style.ERROR: "red",
    Style.WARNING: "yellow",
    Style.INFO: "",
    Style.TRY: "green",
    Style.PLAIN: "",
}


def explain(
    source: Annotated[
        str | None,
        Parameter(
            name="HEX",
            help="Octets as hex, in whatever dress; - reads standard input, and the name of a file reads the file "
            "(hex or raw octets).",
            allow_leading_hyphen=True,
        ),
    ] = None,
    /,
    *,
    batch: Annotated[
        Path | None,
        Parameter(
            help='A file of JSON lines {"id", "hex", "keys"}; one JSON line comes out for each. - reads standard input.',
            allow_leading_hyphen=True,
        ),
    ] = None,
    ek: Annotated[
        str | None,
        Parameter(help="The key that ciphered APDUs are encrypted with: env:NAME, file:PATH or hex digits."),
    ] = None,
    ak: Annotated[
        str | None,
        Parameter(help="The authentication key, so that tags can be verified; written in the same ways."),
    ] = None,
    system_title: Annotated[
        str | None, Parameter(help="The sender's system title in hex, where the octets do not name it.")
    ] = None,
    json: Annotated[bool, Parameter(help="One JSON object on stdout instead of text.")] = False,
) -> int:
    """Say what octets mean, and why a meter may have answered so.

    Peels what stands around the APDU, opens what is ciphered where keys are given, names each run of octets, tells at which
    offset the standard is broken and what would have been legal there, and gives likely causes with the next step. Talks to no
    meter. A key written on the command line can be seen by others on this machine: env:NAME and file:PATH can't.
    """
    if batch is not None:
        if source is not None:
            raise UsageError("octets and --batch were given", hint="leave one of them out")
        if ek or ak or system_title:
            raise UsageError("a batch has its keys in its lines", hint='write "keys": {"encryption_key": …}')
        return _batch(batch)
    if source is None:
        raise UsageError(
            "there is nothing to explain", hint="give octets in hex, - for standard input, or a file"
        )
    if source.startswith("-") and source != _STDIN:
        raise UsageError(f"there is no option {source}", hint="meterwright explain --help")
    keys = _keys(ek, ak, system_title)
    if json:
        return _one_as_json(_given(source), keys)
    for style, line in render_lines(explain_octets(read_octets(_given(source)), keys)):
        stdout().print(Text(line, _STYLES[style]))
    return ExitCode.DONE


def _keys(ek: str | None, ak: str | None, system_title: str | None) -> OpeningKeys | None:
    """What opens ciphered APDUs; None where no key was given."""
    if ek is None:
        if ak or system_title:
            raise UsageError("without --ek nothing can be opened", hint="give the encryption key too")
        return None
    try:
        titles = () if system_title is None else (bytes.fromhex(system_title),)
    except ValueError:
        raise UsageError("the system title is no hex", hint="16 hex digits") from None
    here = Path()
    authentication = None if ak is None else resolve_secret(ak, base=here, what="the authentication key")
    return OpeningKeys(
        resolve_secret(ek, base=here, what="the encryption key"), authentication, titles=titles
    )


def _given(source: str) -> str | bytes:
    """Hex from the command line as text; what a file or standard input holds as octets."""
    if source == _STDIN:
        return _limited(sys.stdin.buffer, "standard input")
    path = Path(source)
    try:
        if not path.is_file():
            return source
        with path.open("rb") as file:
            return _limited(file, source)
    except (OSError, ValueError):  # too long for a name, or with characters no name has: it is hex
        return source


def _limited(file: IO[bytes], name: str) -> bytes:
    octets = file.read(_LARGEST_INPUT + 1)
    if len(octets) > _LARGEST_INPUT:
        raise UsageError(
            f"{name} has more than {_LARGEST_INPUT} octets", hint="explain takes messages, not images"
        )
    return octets


def _one_as_json(given: str | bytes, keys: OpeningKeys | None) -> int:
    """The object of the contract, also for what is no hex: broken input is told in it."""
    try:
        octets = read_octets(given)
    except UsageError:
        text = given if isinstance(given, str) else ""
        line = explain_line(json_module.dumps({"id": None, "hex": text}))
    else:
        line = json_module.dumps(explain_octets(octets, keys).as_json(), allow_nan=False)
    sys.stdout.write(line + "\n")
    return ExitCode.DONE


def _batch(path: Path) -> int:
    for line in explain_batch(_lines(path)):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return ExitCode.DONE


def _lines(path: Path) -> Iterator[str]:
    if str(path) == _STDIN:
        yield from _texts(sys.stdin.buffer)
        return
    try:
        with path.open("rb") as file:
            yield from _texts(file)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", hint="check the path") from None


def _texts(file: IO[bytes]) -> Iterator[str]:
    return (line.decode("utf-8", "replace").rstrip("\r\n") for line in file)
