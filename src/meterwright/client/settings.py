"""What a client needs to know to talk to one meter, besides how to reach it. Frozen, with the standard's defaults."""

from dataclasses import dataclass, field

from meterwright.association import Proposal

__all__ = ["ClientSettings", "Timeouts"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds. `request` is for one request and its answer, however long the exchange."""

    connect: float = 10.0
    associate: float = 10.0
    request: float = 15.0
    release: float = 2.0


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Who we are (`client_sap`), which logical device we mean (`server_sap`), what we propose, how long we wait.

    16 is the public client, 1 the management logical device (Green Book).
    """

    client_sap: int = 16
    server_sap: int = 1
    proposal: Proposal = field(default_factory=Proposal)
    timeouts: Timeouts = field(default_factory=Timeouts)
