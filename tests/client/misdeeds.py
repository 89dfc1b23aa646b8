"""What a meter does wrong when somebody wants to be let in: answers that are altered, and hosts that refuse."""

from dataclasses import replace
from functools import partial
from typing import Final

from tests.client.faulty_meters import Answer, Answers
from tests.client.given import CLIENT, METER_KEYS, METER_TITLE, TITLE

from meterwright.apdu import Aare, ExceptionResponse, decode_apdu
from meterwright.association import AssociationRequested, Credentials, Grant
from meterwright.association.negotiation import rejecting
from meterwright.security import Ciphers, Form, Keys, protect, unprotect
from meterwright.server import Middleware, Partners
from meterwright.values import AcseServiceUserDiagnostic, ExceptionService, ExceptionState, Protection

_User = AcseServiceUserDiagnostic


def exception(service: ExceptionService, counter: int | None = None) -> bytes:
    return ExceptionResponse(ExceptionState.SERVICE_NOT_ALLOWED, service, counter).to_octets()


NO_REASON: Final = rejecting(_User.NO_REASON_GIVEN).to_octets()
COUNTER_ERROR: Final = exception(ExceptionService.INVOCATION_COUNTER_ERROR)
UNREADABLE: Final = exception(ExceptionService.DECIPHERING_ERROR)
_GLO_ACTION_RESPONSE: Final = 0xCF


def instead_of(beginning: bytes, answer: Answer) -> Answers:
    """What begins so is answered otherwise, where it goes to the client with all rights."""

    def answers(client: int, apdu: bytes) -> Answer:
        return answer if client == CLIENT and apdu.startswith(beginning) else apdu

    return answers


aare_instead = partial(instead_of, Aare.prefix)
proof_instead = partial(instead_of, bytes((_GLO_ACTION_RESPONSE,)))


def sealed_under(keys: Keys) -> Answers:
    """The meter opens what we send, and protects what it sends under other keys."""

    def answers(client: int, apdu: bytes) -> Answer:
        aare = decode_apdu(apdu) if client == CLIENT and apdu.startswith(Aare.prefix) else None
        if not isinstance(aare, Aare):
            return apdu
        opened = unprotect(aare.user_information or b"", Ciphers(METER_KEYS), METER_TITLE)
        form = Form(Protection.BOTH)
        sealed = protect(opened.apdu, Ciphers(keys), form, METER_TITLE, opened.counter)
        return replace(aare, user_information=sealed).to_octets()

    return answers


def with_another_proof(client: int, apdu: bytes) -> Answer:
    """The meter does not know the secret, and lets us in all the same."""
    if client != CLIENT or apdu[0] != _GLO_ACTION_RESPONSE:
        return apdu
    opened = unprotect(apdu, Ciphers(METER_KEYS), METER_TITLE)
    wrong = opened.apdu[:-1] + bytes((opened.apdu[-1] ^ 1,))
    return protect(wrong, Ciphers(METER_KEYS), Form(Protection.BOTH), METER_TITLE, opened.counter)


class OneTitle(Middleware):
    """A meter that knows the system title of its one client."""

    def guard(self, partners: Partners) -> Credentials | None:
        credentials = super().guard(partners)
        if credentials is not None and credentials.layer is not None:
            credentials.layer.learn_peer_title(TITLE)
        return credentials


class NoPublicClient(Middleware):
    """A meter that does not let its counter be read."""

    def guard(self, partners: Partners) -> Credentials | None:
        return super().guard(partners) if partners.client_sap == CLIENT else None


class SaysNo(Middleware):
    """A meter that takes the protection of the AARQ, and then has another reason to refuse, which it does not tell."""

    def associate(self, partners: Partners, asked: AssociationRequested) -> Grant | _User:
        return _User.NO_REASON_GIVEN if partners.client_sap == CLIENT else super().associate(partners, asked)
