"""What a client needs to know to talk to one meter, besides how to reach it. Frozen, with the standard's defaults."""

from dataclasses import dataclass, field

from meterwright.association import PreEstablished, Proposal
from meterwright.client.carriers import Carrier, Wrapper
from meterwright.client.credentials import ClientCredentials
from meterwright.transport.tls import TlsSettings

__all__ = ["ClientSettings", "Timeouts"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds. `request` is for one request and its answer, however long the exchange.

    `between`: the pause between two associations of one connection, as some meters need a moment to let go of the first.
    """

    connect: float = 10.0
    associate: float = 10.0
    request: float = 15.0
    release: float = 2.0
    between: float = 0.2


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Who we are (`client_sap`), which logical device we mean (`server_sap`), what we propose, how long we wait.

    16 is the public client, 1 the management logical device (Green Book). `carrier` is what carries the APDUs, `credentials`
    prove who we are and protect what is said; without them everything is in plain, and nobody is asked for anything. `tls` says
    whom to trust where the address is one of TLS.

    `one_at_a_time`: exchanges wait for one another, request by request, a transfer in blocks as a whole. Meters with room for
    several transfers, and a line with long delays, may do better without.

    `pre_established`: what was agreed on beforehand with the meter, which gets no AARQ then, nor RLRQ; its system title must be
    in the credentials where anything is ciphered.
    """

    client_sap: int = 16
    server_sap: int = 1
    proposal: Proposal = field(default_factory=Proposal)
    timeouts: Timeouts = field(default_factory=Timeouts)
    carrier: Carrier = field(default_factory=Wrapper)
    credentials: ClientCredentials = field(default_factory=ClientCredentials)
    tls: TlsSettings = field(default_factory=TlsSettings)
    one_at_a_time: bool = True
    pre_established: PreEstablished | None = None
