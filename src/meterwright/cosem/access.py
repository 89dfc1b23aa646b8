"""How a declared object reaches a meter: the two kinds of access, awaited or blocking, and the identity of an association.

The client implements both; this layer only names them, so that one declaration of an interface class serves either.
"""

from abc import ABC, abstractmethod
from typing import Final, Self

from meterwright.apdu import AttributeDescriptor, MethodDescriptor, SelectiveAccess
from meterwright.data import Data
from meterwright.errors import LocalProtocolError

__all__ = [
    "AssociationBound",
    "AssociationIdentity",
    "AsyncAccess",
    "BlockingAccess",
    "ReadingWitness",
    "require_reading",
    "require_same_association",
]


class AssociationIdentity:
    """One accepted association. Equal to itself alone: associating anew makes another."""

    __slots__ = ("_label",)

    def __init__(self, label: str) -> None:
        self._label = label

    def __repr__(self) -> str:
        return f"<association {self._label}>"


class ReadingWitness:
    """Vouches that a value was just read from a meter. There is one, and only reading an attribute shows it."""

    __slots__ = ()


_READ: Final = ReadingWitness()


def require_reading(witness: ReadingWitness) -> None:
    """Refuse to bind a value to an association on anybody's word but that of a reading. LocalProtocolError then."""
    if witness is not _READ:
        raise LocalProtocolError(
            "only reading it from the meter binds a value to an association",
            layer="cosem",
            hint="read it again in this association",
        )


class AssociationBound(ABC):
    """A value that means something only in the association it was read in, such as a meter's block size.

    A base class and no protocol: every value that is read or sent is asked whether it is one, and a runtime-checkable
    protocol answers 40 times as slowly.
    """

    __slots__ = ()

    @property
    @abstractmethod
    def association(self) -> AssociationIdentity | None:
        """Where it was read; None before a read has bound it."""

    @abstractmethod
    def bound_to(self, association: AssociationIdentity, witness: ReadingWitness) -> Self:
        """The same value, as read in that association. LocalProtocolError without the one witness of a reading."""


def require_same_association(value: object, association: AssociationIdentity) -> None:
    """Refuse to send what was read in another association, or never read at all. LocalProtocolError then."""
    if isinstance(value, AssociationBound) and value.association is not association:
        raise LocalProtocolError(
            f"{type(value).__name__} of {value.association or 'no association'} cannot be sent in {association}",
            layer="cosem",
            hint="read it again in this association: the meter may have another value now",
        )


class AsyncAccess(ABC):
    """Awaited access to the attributes and methods of one meter.

    `timeout` (seconds) is for each request of an exchange; None leaves it to whoever implements this.
    """

    @property
    @abstractmethod
    def association(self) -> AssociationIdentity:
        """The association that is open now. LocalProtocolError where none is."""

    @abstractmethod
    async def read(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> Data:
        """The value of one attribute. DataAccessError where the meter refuses."""

    async def read_octets(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> bytes:
        """The same as octets: where there are many rows, who needs no tree of them is spared it."""
        return (await self.read(attribute, selection, timeout=timeout)).to_octets()

    @abstractmethod
    async def write(
        self, attribute: AttributeDescriptor, value: Data, *, timeout: float | None = None
    ) -> None:
        """Write one attribute. DataAccessError where the meter refuses."""

    @abstractmethod
    async def invoke(
        self, method: MethodDescriptor, parameters: Data | None = None, *, timeout: float | None = None
    ) -> Data | None:
        """Call one method. ActionError where the meter refuses."""


class BlockingAccess(ABC):
    """Blocking access to the attributes and methods of one meter: the twin of `AsyncAccess`."""

    @property
    @abstractmethod
    def association(self) -> AssociationIdentity:
        """The association that is open now. LocalProtocolError where none is."""

    @abstractmethod
    def read(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> Data:
        """The value of one attribute. DataAccessError where the meter refuses."""

    def read_octets(
        self,
        attribute: AttributeDescriptor,
        selection: SelectiveAccess | None = None,
        *,
        timeout: float | None = None,
    ) -> bytes:
        """The same as octets: where there are many rows, who needs no tree of them is spared it."""
        return self.read(attribute, selection, timeout=timeout).to_octets()

    @abstractmethod
    def write(self, attribute: AttributeDescriptor, value: Data, *, timeout: float | None = None) -> None:
        """Write one attribute. DataAccessError where the meter refuses."""

    @abstractmethod
    def invoke(
        self, method: MethodDescriptor, parameters: Data | None = None, *, timeout: float | None = None
    ) -> Data | None:
        """Call one method. ActionError where the meter refuses."""
