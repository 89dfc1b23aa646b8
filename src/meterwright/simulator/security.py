"""The security of a simulated meter: what its associations demand, and the counters they show."""

import secrets
from typing import Final

from meterwright.association import Credentials
from meterwright.data import Data, double_long_unsigned
from meterwright.security import CounterOwner, ReplayMemory, SecurityLayer, SendCounter
from meterwright.simulator.associations import AssociationPolicy, MeterIdentity
from meterwright.simulator.behaviour import Behaviour
from meterwright.simulator.counters import KeptCounter, MeterCounterStore
from meterwright.simulator.image_machine import ImageMachine
from meterwright.simulator.objects import ComputedData
from meterwright.values import Obis, Role

__all__ = ["MeterSecurity"]


class MeterSecurity:
    """Makes what a client must bring to each association. One for each meter."""

    def __init__(self, machine: ImageMachine, identity: MeterIdentity | None) -> None:
        self._machine: Final = machine
        self._identity = identity
        self._received: dict[Obis, KeptCounter] = {}
        self._replays: Final = ReplayMemory()
        self._layers: dict[tuple[int, int], SecurityLayer] = {}
        self._send: SendCounter | None = None
        if identity is not None:
            owner = CounterOwner.of(identity.keys.global_unicast, identity.system_title)
            self._send = SendCounter(MeterCounterStore(machine), owner)

    def credentials(self, policy: AssociationPolicy) -> Credentials:
        """What to demand in this association; the challenge is the connection's to make."""
        identity = self._identity
        layer = self._layer(policy) if policy.needs_keys else None
        if layer is not None:
            self._layers[policy.client_sap, policy.server_sap] = layer
        return Credentials(
            mechanism=policy.mechanism,
            secret=policy.secret,
            makers_function=policy.makers_function,
            layer=layer,
            pairs=None if identity is None else identity.pairs,
            system_title=None if identity is None else identity.system_title,
            association_object=policy.logical_name,
            users=policy.users,
            plain_release=policy.plain_release,
        )

    def client_title(self, policy: AssociationPolicy) -> bytes:
        """The system title of the client that associated last; b"" before one has."""
        layer = self._layers.get((policy.client_sap, policy.server_sap))
        return b"" if layer is None else layer.peer_title or b""

    def shown(self, counter: Obis) -> Behaviour:
        """The object that tells the counter which was accepted last."""
        kept = self._counter(counter)

        def value() -> Data:
            return double_long_unsigned(kept.value)

        return ComputedData(str(counter), value)

    def _counter(self, counter: Obis) -> KeptCounter:
        return self._received.setdefault(counter, KeptCounter(self._machine, counter))

    def _layer(self, policy: AssociationPolicy) -> SecurityLayer:
        identity, send, counter = self._identity, self._send, policy.counter
        if identity is None or send is None or counter is None:
            raise ValueError(
                f"client {policy.client_sap} wants keys, a title and a counter, and the meter lacks some"
            )
        return SecurityLayer(
            Role.SERVER,
            own_title=identity.system_title,
            peer_title=None,
            keys=identity.keys,
            policy=policy.policy,
            send_counter=send,
            receive_counter=self._counter(counter),
            pairs=identity.pairs,
            replays=self._replays,
            chance=secrets.token_bytes,
        )
