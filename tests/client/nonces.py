"""The invocation counters that clients have spent, read off what reached a meter."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from meterwright.apdu import Aarq, ActionRequestNormal, decode_apdu
from meterwright.association.login import is_reply_to_challenge
from meterwright.security import Ciphers, Keys, SecurityViolation, is_ciphered, read_envelope, unprotect

_PROOF_SIZE: Final = 17


@dataclass(frozen=True)
class Heard:
    """An APDU that came from a client, as it came."""

    client: int
    apdu: bytes


@dataclass(frozen=True)
class Use:
    """A number that a client has spent: under which title, by which client address, to protect or prove what."""

    client: int
    title: bytes
    counter: int
    what: bytes


def uses_in(heard: Iterable[Heard], keys: Keys) -> Iterator[Use]:
    """The numbers that were spent on what came, those inside of the answers to a challenge too. The keys open it."""
    ciphers = Ciphers(keys)
    titles: dict[int, bytes] = {}
    for each in heard:
        octets = each.apdu
        if octets.startswith(Aarq.prefix):
            aarq = decode_apdu(octets)
            assert isinstance(aarq, Aarq)
            titles[each.client] = aarq.calling_ap_title or b""
            octets = aarq.user_information or b""
        if not is_ciphered(octets):
            continue
        title = titles[each.client]
        yield Use(each.client, title, read_envelope(octets).counter, octets)
        proof = _proof_in(octets, ciphers, title)
        if proof is not None:
            yield Use(each.client, title, int.from_bytes(proof[1:5], "big"), proof)


def _proof_in(octets: bytes, ciphers: Ciphers, title: bytes) -> bytes | None:
    """SC, IC and tag by which a client of HIGH_GMAC answers a challenge, if these octets hold it."""
    try:
        request = decode_apdu(unprotect(octets, ciphers, title).apdu)
    except SecurityViolation:
        return None  # protected under other keys: no such login gets so far
    if not is_reply_to_challenge(request) or not isinstance(request, ActionRequestNormal):
        return None
    given = None if request.parameters is None else request.parameters.value
    return given if isinstance(given, bytes) and len(given) == _PROOF_SIZE else None
