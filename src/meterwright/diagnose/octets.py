"""Octets from what a person has at hand: hex in whatever dress, or the raw octets of a file."""

import re
from typing import Final

from meterwright.errors import UsageError

__all__ = ["read_octets"]

_PREFIX: Final = re.compile(r"(?<![0-9a-fA-F])0x|\\x", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[\s:;,.|_\-\[\](){}<>\"']+")
_FOREIGN: Final = re.compile(r"[^0-9a-fA-F]")
_TEXT: Final = re.compile(rb"[\x09-\x0d\x20-\x7e]*")


def read_octets(given: str | bytes) -> bytes:
    """The octets that `given` stands for. UsageError where it is text that is no hex.

    Text is hex: spaces, colons, dashes, commas, new lines, brackets, quotes and 0x may stand between. Octets that are hex
    written in ASCII are read as that, all others are taken as they are.
    """
    if isinstance(given, str):
        return _from_hex(given)
    if _TEXT.fullmatch(given):
        try:
            return _from_hex(given.decode("ascii"))
        except UsageError:
            return bytes(given)
    return bytes(given)


def _from_hex(text: str) -> bytes:
    tokens = [token for token in _SEPARATORS.split(_PREFIX.sub(" ", text)) if token]
    if not tokens:
        raise UsageError(
            "there is no hex in the input", hint="give octets such as c701c10101 or C7 01 C1 01 01"
        )
    for token in tokens:
        if foreign := _FOREIGN.search(token):
            raise UsageError(
                f"{foreign[0]!r} in {token[:40]!r} is no hex digit",
                hint="give octets in hex alone, such as c701c10101 or C7 01 C1 01 01",
            )
    if all(len(token) <= 2 for token in tokens):
        if _PREFIX.search(text):  # 0x1 is an octet, as it is for every programming language
            tokens = [token.zfill(2) for token in tokens]
        elif lone := next((token for token in tokens if len(token) == 1), None):
            raise UsageError(f"{lone!r} is half an octet of hex", hint="a digit is missing or one too many")
    digits = "".join(tokens)
    if len(digits) % 2:
        raise UsageError(
            f"{len(digits)} hex digits are no whole octets", hint="a digit is missing or one too many"
        )
    return bytes.fromhex(digits)
