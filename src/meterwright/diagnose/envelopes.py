"""APDUs in APDUs: the gateway's prefix, blocks of a general block transfer, signing, ciphering. Each opened becomes a layer.

What is ciphered is opened with the keys that were given, and believed where its tag is right. Without the authentication key it is
decrypted all the same, and said to be unverified: this is a tool to look at octets, not an association.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from meterwright.apdu import (
    APDUS,
    Apdu,
    CipheredApdu,
    GatewayRequest,
    GatewayResponse,
    GeneralBlockTransfer,
    GeneralSigning,
)
from meterwright.diagnose.carried import Carried, error
from meterwright.diagnose.datagrams import is_whole_apdu
from meterwright.diagnose.explanation import Json, Layer
from meterwright.diagnose.findings import trailing
from meterwright.diagnose.keys import OpeningKeys
from meterwright.diagnose.wording import json_of
from meterwright.errors import MeterwrightError, RemoteProtocolError
from meterwright.security import TAG_SIZE, Envelope, is_ciphered, read_envelope, unprotect
from meterwright.values import Finding, Level

__all__ = ["Deciphered", "decipher", "join_blocks", "open_envelopes"]

_DEEPEST: Final = 8
_NO_TITLE: Final = (
    "the sender's system title stands not in the APDU, and none was given: without it nothing can be opened"
)
_OTHER_KEY: Final = "the encryption key fits, for what it gives is an APDU; the authentication key is not the right one, or the tag was altered"
_WRONG_KEY: Final = (
    "neither key nor system title need be right: compare both with the meter's; or the octets were altered"
)


class Deciphered(NamedTuple):
    """What a ciphered APDU holds (None where it stays closed), what is told of its envelope, and what was noticed."""

    apdu: bytes | None
    header: Mapping[str, Json]
    findings: tuple[Finding, ...] = ()


def open_envelopes(carried: Carried, keys: OpeningKeys | None) -> Carried:
    """The innermost APDU that can be come by, what was opened on the way among its layers."""
    for _ in range(_DEEPEST):
        opened = None if carried.apdu is None else _open(carried.apdu, keys)
        if opened is None:
            break
        layer, apdu, findings = opened
        layers = carried.layers if layer is None else (*carried.layers, layer)
        carried = Carried(layers, apdu, (*carried.findings, *findings))
        if layer is None:
            break
    return carried


class _Opened(NamedTuple):
    """One envelope opened; without a layer nothing was, and the findings say why."""

    layer: Layer | None
    apdu: bytes
    findings: tuple[Finding, ...] = ()


def _open(octets: bytes, keys: OpeningKeys | None) -> _Opened | None:
    try:
        apdu, end = APDUS.decode_prefix(octets)
    except RemoteProtocolError:
        return _open_ciphered(octets, keys) if is_ciphered(octets) else None
    if isinstance(apdu, CipheredApdu):
        return _open_ciphered(octets[:end], keys, _behind(octets, end))
    inside = _inside(apdu)
    if not inside:
        return None
    layer = Layer(apdu.label, octets[: end - len(inside)], dict(_fields(apdu)))
    findings = _behind(octets, end)
    if isinstance(apdu, GeneralSigning):
        told = (
            "the signature was not verified: whoever signed it, believe the content as if it were not signed"
        )
        findings = (*findings, Finding(Level.WARNING, "signature-not-verified", told))
    return _Opened(layer, inside, findings)


def _inside(apdu: Apdu) -> bytes | None:
    """The APDU in an envelope that needs no key; None where it is no envelope, or not the whole of one."""
    if isinstance(apdu, GatewayRequest | GatewayResponse):
        return apdu.carried
    if isinstance(apdu, GeneralSigning):
        return apdu.content
    if isinstance(apdu, GeneralBlockTransfer) and apdu.block_number == 1 and apdu.block_control.last_block:
        return apdu.block_data
    return None


def _fields(apdu: Apdu) -> Iterator[tuple[str, Json]]:
    """What an envelope tells, without what is in it."""
    shown = json_of(apdu)
    for name, value in shown.items() if isinstance(shown, dict) else ():
        if name not in ("carried", "content", "block_data"):
            yield name, value


def _behind(octets: bytes, end: int) -> tuple[Finding, ...]:
    return () if end == len(octets) else (replace(trailing(octets, end), offset=None),)


# ------------------------------------------------------------------------------------------------ ciphering


def _open_ciphered(
    octets: bytes, keys: OpeningKeys | None, findings: tuple[Finding, ...] = ()
) -> _Opened | None:
    if keys is None:
        return None
    opened = decipher(octets, keys, ())
    if opened.apdu is None:
        return _Opened(None, octets, (*findings, *opened.findings)) if opened.findings else None
    layer = Layer(APDUS.find(octets).label, octets, opened.header)
    return _Opened(layer, opened.apdu, (*findings, *opened.findings))


def decipher(octets: bytes, keys: OpeningKeys, titles: Iterable[bytes]) -> Deciphered:
    """What a ciphered APDU holds; `titles` are those of its sender, as far as they are known from what stands around."""
    if not is_ciphered(octets):
        return Deciphered(None, {})
    try:
        envelope = read_envelope(octets)
    except RemoteProtocolError:
        return Deciphered(None, {})  # reading it field by field tells what is wrong
    candidates = [envelope.title] if envelope.title else [*titles, *keys.titles]
    if not candidates:
        return Deciphered(None, {}, (error("no-system-title", _NO_TITLE, hint="give the system title"),))
    attempts = [_attempt(octets, keys, envelope, title) for title in candidates]
    opened = [attempt for attempt in attempts if attempt.apdu is not None]
    likely = [attempt for attempt in opened if attempt.apdu and is_whole_apdu(attempt.apdu)]
    return (likely or opened or attempts)[0]


def _attempt(octets: bytes, keys: OpeningKeys, envelope: Envelope, title: bytes) -> Deciphered:
    control = envelope.control
    header: dict[str, Json] = {
        "system_title": title.hex(),
        "security_control": control.to_octet(),
        "invocation_counter": envelope.counter,
    }
    if control.authenticated and keys.authentication is None:
        return _unverified(octets, keys, envelope, title, header)
    try:
        opened = unprotect(octets, keys.ciphers, title)
    except MeterwrightError as problem:
        lax = _unverified(octets, keys, envelope, title, header)
        hint = _OTHER_KEY if lax.apdu and is_whole_apdu(lax.apdu) else problem.hint or _WRONG_KEY
        return Deciphered(None, header, (error("not-opened", problem.what, hint=hint),))
    return Deciphered(opened.apdu, {**header, "authenticated": control.authenticated})


def _unverified(
    octets: bytes, keys: OpeningKeys, envelope: Envelope, title: bytes, header: Mapping[str, Json]
) -> Deciphered:
    """What is inside, the tag not looked at."""
    control = envelope.control
    content = octets[envelope.start :]
    content = content[:-TAG_SIZE] if control.authenticated else content
    cipher = keys.stream(dedicated=envelope.dedicated, broadcast=control.broadcast)
    if control.encrypted and (cipher is None or control.compressed):
        return Deciphered(
            None, header, (error("not-opened", "the key under which it is encrypted was not given"),)
        )
    nonce = title + envelope.counter.to_bytes(4, "big")
    apdu = cipher.stream(nonce, content) if control.encrypted and cipher is not None else content
    if not apdu or (envelope.plain_tag is not None and apdu[0] != envelope.plain_tag):
        return Deciphered(
            None, header, (error("not-opened", "the key or the system title is not the right one"),)
        )
    told = "its tag was not verified, for the authentication key was not given: it may have been altered on its way"
    finding = Finding(Level.WARNING, "not-verified", told, hint="give the authentication key")
    return Deciphered(apdu, {**header, "authenticated": False}, (finding,))


# ------------------------------------------------------------------------------------------------ blocks


@dataclass(frozen=True, slots=True)
class _Block:
    """A block as it was carried."""

    carried: Carried
    block: GeneralBlockTransfer

    @property
    def is_acknowledgement(self) -> bool:
        """Whether it carries nothing, and only says what has come."""
        return not self.block.block_data and self.block.block_control.last_block


def join_blocks(carried: Iterable[Carried], keys: OpeningKeys | None) -> Iterator[Carried]:
    """The same, blocks of one transfer put together where they follow one another, and what they make opened."""
    run: list[_Block] = []
    for each in carried:
        found = _as_block(each)
        if found is None:
            yield from _apart(run)
            yield each
        elif found.is_acknowledgement and found.block.block_number != len(run) + 1:
            yield each
        elif found.block.block_number == len(run) + 1:
            run.append(found)
            if found.block.block_control.last_block:
                yield open_envelopes(_joined(run), keys)
                run.clear()
        else:
            yield from _apart(run)
            run.append(found)
            if found.block.block_number != 1:
                yield from _apart(run)
    yield from _apart(run)


def _as_block(carried: Carried) -> _Block | None:
    try:
        apdu, end = APDUS.decode_prefix(carried.apdu or b"")
    except RemoteProtocolError:
        return None
    if not isinstance(apdu, GeneralBlockTransfer):
        return None
    octets = (carried.apdu or b"")[:end]
    return _Block(Carried(carried.layers, octets, carried.findings), apdu)


def _joined(run: list[_Block]) -> Carried:
    layers = [
        layer
        for each in run
        for layer in (
            *each.carried.layers,
            Layer(each.block.label, each.carried.apdu or b"", dict(_fields(each.block))),
        )
    ]
    findings = tuple(finding for each in run for finding in each.carried.findings)
    whole = b"".join(each.block.block_data for each in run)
    if not whole:
        return run[0].carried
    return Carried(tuple(layers), whole, findings)


def _apart(run: list[_Block]) -> Iterator[Carried]:
    """Blocks that do not make a whole, each as it came."""
    for number, each in enumerate(run, start=1):
        carried = each.carried
        if number == len(run):
            missing = 1 if each.block.block_number != number else number + 1
            what = f"block {missing} of a general block transfer is missing: the APDU in it can't be put together"
            told = error("blocks-missing", what, hint="give all its blocks together, in order")
            carried = Carried(carried.layers, carried.apdu, (*carried.findings, told))
        yield carried
    run.clear()
