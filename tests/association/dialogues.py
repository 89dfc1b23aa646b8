"""Recorded conversations over HDLC, read: who said what, what it meant in plain, and what each side brought to it."""

import json
import os
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from meterwright.apdu import (
    Aare,
    Aarq,
    ActionRequestNormal,
    ActionResponseNormal,
    Apdu,
    InitiateRequest,
    InitiateResponse,
    Rlre,
    Rlrq,
    decode_apdu,
)
from meterwright.association import (
    Credentials,
)
from meterwright.data import Data
from meterwright.link.hdlc import (
    Frame,
    FrameKind,
    HdlcFramer,
)
from meterwright.link.hdlc.segments import Reassembly
from meterwright.security import (
    Ciphers,
    CounterOwner,
    CounterRecord,
    CounterStore,
    Keys,
    Manner,
    ReceiveCounter,
    Secret,
    SecurityLayer,
    SendCounter,
    Style,
    is_ciphered,
    read_envelope,
    unprotect,
)
from meterwright.values import (
    AuthenticationMechanism,
    Role,
    SecurityPolicy,
)

_ACSE: Final = (Aarq, Aare, Rlrq, Rlre)


@dataclass(frozen=True)
class Said:
    """One frame."""

    role: Role
    octets: bytes
    frame: Frame

    @property
    def kind(self) -> FrameKind:
        return self.frame.control.kind

    @property
    def client_sap(self) -> int:
        return (self.frame.source if self.role is Role.CLIENT else self.frame.destination).upper


@dataclass(frozen=True)
class Protection:
    """The keys of a conversation, and whose title is which."""

    keys: Keys
    titles: Mapping[Role, bytes]

    def plain(self, role: Role, octets: bytes, dedicated: bytes | None = None) -> bytes:
        """What a ciphered APDU holds; a plain one as it is."""
        if not is_ciphered(octets):
            return octets
        ciphers = Ciphers(self.keys)
        if dedicated is not None:
            ciphers.use_dedicated(Secret(dedicated))
        return unprotect(octets, ciphers, self.titles[role]).apdu


@dataclass(frozen=True)
class Talk:
    """What one client address and the meter said to each other, from DISC or SNRM on."""

    frames: tuple[Said, ...]
    protection: Protection | None

    @cached_property
    def apdus(self) -> list[tuple[Role, bytes]]:
        """In order, put together from their segments."""
        parts = {role: Reassembly(0xFFFF) for role in Role}
        whole: list[tuple[Role, bytes]] = []
        for said in self.frames:
            if said.kind is FrameKind.I:
                apdu = parts[said.role].add(said.frame.information, last=not said.frame.segmented)
                whole += [] if apdu is None else [(said.role, apdu)]
        return whole

    @cached_property
    def aarq(self) -> Aarq:
        (found,) = (each for _, octets in self.apdus if isinstance(each := acse(octets), Aarq))
        return found

    @cached_property
    def aare(self) -> Aare:
        (found,) = (each for _, octets in self.apdus if isinstance(each := acse(octets), Aare))
        return found

    @cached_property
    def asked(self) -> InitiateRequest:
        found = decode_apdu(self._plain(Role.CLIENT, self.aarq.user_information or b""))
        assert isinstance(found, InitiateRequest)
        return found

    @cached_property
    def granted(self) -> InitiateResponse:
        found = decode_apdu(self._plain(Role.SERVER, self.aare.user_information or b""))
        assert isinstance(found, InitiateResponse)
        return found

    @property
    def mechanism(self) -> AuthenticationMechanism:
        return self.aarq.mechanism_name or AuthenticationMechanism.LOWEST

    def services(self, role: Role) -> list[Apdu]:
        """In plain, what is neither ACSE nor the login: its two APDUs come first."""
        dedicated = self.asked.dedicated_key
        plain = [
            decode_apdu(self._plain(each, octets, dedicated)) for each, octets in self.apdus if each is role
        ]
        found = [apdu for apdu in plain if not isinstance(apdu, _ACSE)]
        return found[1:] if self._has_challenges else found

    def numbers(self, role: Role) -> Iterator[int]:
        """The invocation counters that one side consumed, in order: Initiate, f(challenge), APDUs, release."""
        proofs = self.mechanism is AuthenticationMechanism.HIGH_GMAC
        for sender, octets in self.apdus:
            if sender is not role:
                continue
            apdu = acse(octets)
            inside = apdu.user_information if isinstance(apdu, Aarq | Aare | Rlrq | Rlre) else octets
            plain = self._plain(role, octets, self.asked.dedicated_key)
            if apdu is None and proofs:
                yield int.from_bytes(_proof(decode_apdu(plain))[1:5], "big")
                proofs = False
            if inside and is_ciphered(inside):
                yield read_envelope(inside).counter

    def credentials(self, role: Role) -> Credentials:
        """What this side brought."""
        acse = {
            Role.CLIENT: self.aarq.calling_authentication_value,
            Role.SERVER: self.aare.responding_authentication_value,
        }
        value = acse[role] or b""
        password = self.aarq.calling_authentication_value or b""
        low = self.mechanism is AuthenticationMechanism.LOW
        key = self.asked.dedicated_key
        return Credentials(
            mechanism=self.mechanism,
            secret=Secret(password) if low else None,
            challenge=value if self._has_challenges else b"",
            layer=self._layer(role),
            dedicated=Secret(key) if key is not None and role is Role.CLIENT else None,
        )

    def _layer(self, role: Role) -> SecurityLayer | None:
        protection = self.protection
        if protection is None or not self.aarq.calling_ap_title:
            return None
        title = protection.titles[role]
        owner = CounterOwner.of(protection.keys.global_unicast, title)
        first = next(
            (octets for each, octets in self.apdus if each is Role.CLIENT and is_ciphered(octets)), None
        )
        envelope = None if first is None else read_envelope(first)
        return SecurityLayer(
            role,
            own_title=title,
            peer_title=None,
            keys=protection.keys,
            policy=SecurityPolicy(0 if envelope is None else int(envelope.control.protection) >> 4),
            manner=Manner(Style.SERVICE_SPECIFIC if envelope is None else envelope.style),
            send_counter=SendCounter(Exactly(self.numbers(role)), owner, batch=1),
            receive_counter=ReceiveCounter(),
        )

    def _plain(self, role: Role, octets: bytes, dedicated: bytes | None = None) -> bytes:
        return octets if self.protection is None else self.protection.plain(role, octets, dedicated)

    @property
    def _has_challenges(self) -> bool:
        return self.mechanism not in (AuthenticationMechanism.LOWEST, AuthenticationMechanism.LOW)


class Exactly(CounterStore):
    """Gives the numbers that were recorded. For nothing but to repeat what was said already."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = deque(numbers)

    def record(self, owner: CounterOwner) -> CounterRecord:
        del owner
        return CounterRecord()

    def reserve(self, owner: CounterOwner, count: int, at_least: int = 1) -> range:
        del owner
        number = self._numbers.popleft()
        assert count == 1
        assert number >= at_least
        return range(number, number + 1)

    def accepted(self, owner: CounterOwner, number: int) -> None:
        pass


def acse(octets: bytes) -> Apdu | None:
    """What opens or ends an association; None for all else."""
    return decode_apdu(octets) if octets[:1] in {kind.prefix for kind in _ACSE} else None


def _proof(apdu: Apdu) -> bytes:
    """f(challenge) in pass 3 or 4."""
    value = (
        apdu.parameters
        if isinstance(apdu, ActionRequestNormal)
        else apdu.return_parameters
        if isinstance(apdu, ActionResponseNormal)
        else None
    )
    assert isinstance(value, Data)
    assert isinstance(value.value, bytes)
    return value.value


def recorded() -> dict[str, dict[str, Any]]:
    """The lines of the file, by name; none where there is no file."""
    folder = os.environ.get("METERWRIGHT_CAPTURES")
    path = Path(folder or ".") / "dialogues.jsonl"
    if not folder or not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    return {row["id"]: row for row in rows}


def talks_of(row: Mapping[str, Any]) -> list[Talk]:
    """The conversations of one line, one for each client address."""
    keys = row["keys"]
    protection = (
        None
        if keys is None
        else Protection(
            Keys(
                global_unicast=Secret.from_hex(keys["encryption_key"]),
                authentication=Secret.from_hex(keys["authentication_key"]),
            ),
            {
                Role.CLIENT: bytes.fromhex(keys["client_system_title"]),
                Role.SERVER: bytes.fromhex(keys["server_system_title"]),
            },
        )
    )
    frames = [_said(each) for each in row["frames"]]
    return [Talk(tuple(group), protection) for _, group in groupby(frames, lambda each: each.client_sap)]


def _said(row: Mapping[str, str]) -> Said:
    octets = bytes.fromhex(row["hex"])
    (frame,) = HdlcFramer().receive(octets)
    return Said(Role.CLIENT if row["dir"] == "client" else Role.SERVER, octets, frame)
