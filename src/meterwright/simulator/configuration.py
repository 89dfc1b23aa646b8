"""The file that holds all a client needs to know of a simulated meter: its address, its associations' security, its keys.

It is a meter's file as the command line reads it (`[meter]` and `[keys]`). Simulated meters have the books' test keys unless
they were given others, so it holds secrets of nobody; it is its owner's alone all the same, as a real one would be.
"""

from collections.abc import Mapping
from typing import Final

from meterwright.companion.is15959 import FIRMWARE_CLIENT
from meterwright.security import KeyPairs, Keys, book_keys_in, book_pairs
from meterwright.simulator.associations import AssociationPolicy
from meterwright.simulator.meter import SimulatedMeter
from meterwright.values import AuthenticationMechanism, Role

__all__ = ["is15959_config", "plain_config"]

_NAMES: Final = {AuthenticationMechanism.LOWEST: "none"}


def plain_config(meter: SimulatedMeter, url: str) -> str:
    """The file of a plain meter: its client with all rights, which is that of its first association."""
    return _config(meter, url, meter.associations[0], "plain")


def is15959_config(meter: SimulatedMeter, url: str) -> str:
    """The file of an IS 15959 meter: its firmware client."""
    firmware = next(each for each in meter.associations if each.client_sap == FIRMWARE_CLIENT.client_sap)
    return _config(meter, url, firmware, "is15959")


def _config(meter: SimulatedMeter, url: str, policy: AssociationPolicy, companion: str) -> str:
    keys = None if meter.identity is None or policy.is_open else meter.identity.keys
    pairs = meter.identity.pairs if meter.identity is not None and policy.needs_pairs else None
    described: dict[str, str | int] = {
        "url": url,
        "client": policy.client_sap,
        "server": policy.server_sap,
        "referencing": "ln",
        "authentication": _NAMES.get(policy.mechanism, policy.mechanism.label),
        "security": policy.policy.label,
        **({} if keys is None else {"suite": int(keys.suite)}),
        "companion": companion,
    }
    lines = [f"# {meter.name}, a simulated meter", "[meter]", *_rows(described)]
    if not policy.is_open:
        lines += ["", *_comment(keys), "[keys]", *_rows(_secrets(policy, keys)), *_rows(_pairs(keys, pairs))]
    return "\n".join([*lines, ""])


def _comment(keys: Keys | None) -> list[str]:
    known = keys is not None and book_keys_in(keys)
    return ["# test keys from the books: taken for meters on this machine alone"] if known else []


def _secrets(policy: AssociationPolicy, keys: Keys | None) -> dict[str, str]:
    named = {
        "password": policy.secret,
        "global_unicast": None if keys is None else keys.global_unicast,
        "authentication": None if keys is None else keys.authentication,
    }
    return {name: key.reveal().hex() for name, key in named.items() if key is not None}


def _pairs(keys: Keys | None, pairs: KeyPairs | None) -> dict[str, str]:
    """The client's signing key, where it is the one that everybody knows, and the meter's public one."""
    if keys is None or pairs is None or pairs.signing is None:
        return {}
    client = book_pairs(keys.suite, Role.CLIENT).signing
    known = client is not None and client.public == pairs.verifying
    return {
        **({"signing": client.scalar.reveal().hex()} if client is not None and known else {}),
        "verifying": pairs.signing.public.octets.hex(),
    }


def _rows(values: Mapping[str, str | int]) -> list[str]:
    return [
        f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}"
        for name, value in values.items()
    ]
