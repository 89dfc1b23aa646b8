"""Real meters and collected vectors: what they sent is opened, and made again from its plaintext octet for octet.

Read from the folder that METERWRIGHT_CAPTURES names; skipped where there is none.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from meterwright.apdu import Aare, Aarq, ActionRequestNormal, ActionResponseNormal, decode_apdu
from meterwright.data import Data
from meterwright.security import (
    TAG_SIZE,
    Ciphers,
    CounterOwner,
    Form,
    Gcm,
    Keys,
    Login,
    MemoryCounterStore,
    Party,
    ReceiveCounter,
    Secret,
    SecurityLayer,
    SendCounter,
    is_ciphered,
    protect,
    prove,
    read_envelope,
    unprotect,
    unwrap_key,
    verify,
    wrap_key,
)
from meterwright.values import Role, SecurityPolicy

POLICIES = {
    "gocosem-e": SecurityPolicy.ENCRYPTED,
    "gocosem-ae": SecurityPolicy.AUTHENTICATED_ENCRYPTED,
}


def lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8").splitlines():
        yield json.loads(line)


@dataclass
class Dialogue:
    """A conversation: its keys and titles, and its APDUs in order, each with who sent it."""

    keys: Keys
    client_title: bytes
    meter_title: bytes
    apdus: list[tuple[Role, bytes]]

    def layer(self, role: Role, policy: SecurityPolicy) -> SecurityLayer:
        titles = {Role.CLIENT: self.client_title, Role.SERVER: self.meter_title}
        owner = CounterOwner.of(self.keys.global_unicast, titles[role])
        return SecurityLayer(
            role,
            own_title=titles[role],
            peer_title=None,
            keys=self.keys,
            policy=policy,
            send_counter=SendCounter(MemoryCounterStore(), owner, batch=1),
            receive_counter=ReceiveCounter(),
        )


def dialogue(captures: Path, name: str) -> Dialogue:
    """One of the conversations; frames whose information field begins with an LLC header carry an APDU."""
    found = next(each for each in lines(captures / "dialogues.jsonl") if each["id"] == name)
    keys = found["keys"]
    apdus: list[tuple[Role, bytes]] = []
    for frame in found["frames"]:
        octets = bytes.fromhex(frame["hex"])
        start = max(octets.find(b"\xe6\xe6\x00"), octets.find(b"\xe6\xe7\x00"))
        if start >= 0:
            role = Role.CLIENT if frame["dir"] == "client" else Role.SERVER
            apdus.append((role, octets[start + 3 : -3]))
    return Dialogue(
        Keys(
            global_unicast=Secret.from_hex(keys["encryption_key"]),
            authentication=Secret.from_hex(keys["authentication_key"]),
        ),
        bytes.fromhex(keys["client_system_title"]),
        bytes.fromhex(keys["server_system_title"]),
        apdus,
    )


def ciphered_in(apdu: bytes) -> bytes | None:
    """The ciphered APDU that this is, or carries as user-information."""
    if is_ciphered(apdu):
        return apdu
    decoded = decode_apdu(apdu)
    information = decoded.user_information if isinstance(decoded, Aarq | Aare) else None
    return information if information and is_ciphered(information) else None


def with_its_length(ciphered: bytes) -> bytes:
    """gocosem, the client in these conversations, counts a tag that it does not send; its meter takes that. We don't send it."""
    assert ciphered[1] in (len(ciphered) - 2, len(ciphered) - 2 + TAG_SIZE)
    return ciphered[:1] + bytes((len(ciphered) - 2,)) + ciphered[2:]


def proof_in(apdu: bytes) -> bytes:
    """f(challenge) in pass 3 or pass 4."""
    decoded = decode_apdu(apdu)
    value = (
        decoded.parameters
        if isinstance(decoded, ActionRequestNormal)
        else decoded.return_parameters
        if isinstance(decoded, ActionResponseNormal)
        else None
    )
    assert isinstance(value, Data)
    assert isinstance(value.value, bytes)
    return value.value


@pytest.mark.parametrize("name", POLICIES)
def test_every_ciphered_apdu_is_opened_and_made_again(captures: Path, name: str) -> None:
    found = dialogue(captures, name)
    titles = {Role.CLIENT: found.client_title, Role.SERVER: found.meter_title}
    count = 0
    for role, apdu in found.apdus:
        ciphered = ciphered_in(apdu)
        if ciphered is None:
            continue
        count += 1
        opened = unprotect(ciphered, Ciphers(found.keys), titles[role])
        decode_apdu(opened.apdu)
        form = Form(opened.control.protection, opened.style)
        again = protect(opened.apdu, Ciphers(found.keys), form, titles[role], opened.counter)
        assert again == with_its_length(ciphered)
    assert count == 6


@pytest.mark.parametrize("name", POLICIES)
def test_both_our_sides_say_what_they_said(captures: Path, name: str) -> None:
    """Client and meter, given the same plaintexts, challenges and counters: every ciphered APDU and both answers."""
    found = dialogue(captures, name)
    policy = POLICIES[name]
    sides = {role: found.layer(role, policy) for role in Role}
    challenges: dict[Role, bytes] = {}
    logged_in: list[Role] = []
    for role, apdu in found.apdus:
        sender, receiver = sides[role], sides[role.other]
        ciphered = ciphered_in(apdu)
        if ciphered is None:
            continue
        counter = read_envelope(ciphered).counter
        if ciphered is not apdu:
            asked = decode_apdu(apdu)
            assert isinstance(asked, Aarq | Aare)
            title, challenge = (
                (asked.calling_ap_title, asked.calling_authentication_value)
                if isinstance(asked, Aarq)
                else (asked.responding_ap_title, asked.responding_authentication_value)
            )
            challenges[role] = challenge or b""
            receiver.learn_peer_title(title or b"")
            plain = receiver.open_initiate(ciphered)
            sender.send_counter.start_at(counter)
            assert sender.seal_initiate(plain) == ciphered
            continue
        plain = receiver.incoming(apdu)
        if role not in logged_in:
            given = proof_in(plain)
            verify(
                login(found, role.other, challenges),
                given,
                receiver.receive_counter,
                carried=receiver.carried,
            )
            sender.send_counter.start_at(int.from_bytes(given[1:5], "big"))
            assert prove(login(found, role, challenges), sender.send_counter) == given
            logged_in.append(role)
        sender.send_counter.start_at(counter)
        assert sender.outgoing(plain) == with_its_length(apdu)
    assert logged_in == [Role.CLIENT, Role.SERVER]


def login(found: Dialogue, role: Role, challenges: dict[Role, bytes]) -> Login:
    parties = {
        Role.CLIENT: Party(found.client_title, challenges[Role.CLIENT]),
        Role.SERVER: Party(found.meter_title, challenges[Role.SERVER]),
    }
    mechanism = next(
        decoded.mechanism_name
        for _, apdu in found.apdus
        if isinstance(decoded := decode_apdu(apdu), Aarq) and decoded.mechanism_name is not None
    )
    return Login(
        mechanism=mechanism, role=role, ours=parties[role], theirs=parties[role.other], keys=found.keys
    )


def test_the_dialogue_without_ciphering_needs_no_layer(captures: Path) -> None:
    found = next(each for each in lines(captures / "dialogues.jsonl") if each["id"] == "gocosem-lls")
    for frame in found["frames"]:
        octets = bytes.fromhex(frame["hex"])
        start = max(octets.find(b"\xe6\xe6\x00"), octets.find(b"\xe6\xe7\x00"))
        if start >= 0:
            assert ciphered_in(octets[start + 3 : -3]) is None


def test_collected_vectors(captures: Path) -> None:
    """Those of GCM and key wrap; the tag is compared as far as it was collected."""
    kinds: set[str] = set()
    for vector in lines(captures / "vectors.jsonl"):
        name = str(vector["id"])
        octets = {
            field: bytes.fromhex(text)
            for field, text in vector.items()
            if field not in ("id", "what", "source") and isinstance(text, str) and text.isalnum()
        }
        if name.startswith("rfc3394"):
            kinds.add("wrap")
            master, key = Secret(octets["kek"]), Secret(octets["key"])
            assert wrap_key(master, key) == octets["wrapped"]
            assert unwrap_key(master, octets["wrapped"]) == key
        elif name.startswith("gb-gcm"):
            kinds.add("gcm")
            cipher, nonce = Gcm(Secret(octets["key"])), octets["system_title"] + octets["ic"]
            if octets.get("cipher"):
                assert cipher.stream(nonce, octets["plain"]) == octets["cipher"]
            if octets.get("tag"):
                sealed = octets.get("cipher", b"") + octets["tag"]
                plain = octets["plain"] if octets.get("cipher") else b""
                assert cipher.open(nonce, sealed, octets["aad"]) == plain
        elif name.startswith("gb-hls5"):
            kinds.add("gmac")
            control = octets["reply"][:1]
            tag = Gcm(Secret(octets["key"])).tag(
                octets["system_title"] + octets["ic"], control + octets["ak"] + octets["challenge"]
            )
            assert control + octets["ic"] + tag == octets["reply"]
    assert kinds == {"wrap", "gcm", "gmac"}
