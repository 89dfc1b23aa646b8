"""How an association ends: RLRQ and RLRE, protected where the association was (Green Book 9.4.5).

What opened a ciphered association was a ciphered Initiate, and so is what ends it: else anybody on the line could do so, in
two octets. A meter judges by `require_protected`; a client whose meter knows no protected release says `plain_release`.
"""

from meterwright.apdu import Aarq, InitiateRequest, Rlre, Rlrq, decode_apdu
from meterwright.association.login import Credentials
from meterwright.association.negotiation import Context, Proposal, initiate_response
from meterwright.errors import RemoteProtocolError, SecurityError
from meterwright.security import SecurityLayer
from meterwright.values import ReleaseRequestReason, ReleaseResponseReason

__all__ = ["require_protected", "rlre", "rlrq"]


def rlrq(proposal: Proposal, credentials: Credentials) -> Rlrq:
    """The RLRQ of a client, with the Initiate that opened the association. Protecting it consumes an invocation counter."""
    layer = credentials.layer
    if layer is None or not credentials.context.is_ciphered or credentials.plain_release:
        return Rlrq(reason=ReleaseRequestReason.NORMAL)
    initiate = proposal.initiate(credentials)
    return Rlrq(reason=ReleaseRequestReason.NORMAL, user_information=_sealed(layer, initiate))


def rlre(layer: SecurityLayer | None, context: Context | None) -> Rlre:
    """The RLRE of a meter; `layer` and `context` where it is to be protected."""
    sealed = None if layer is None or context is None else _sealed(layer, initiate_response(context))
    return Rlre(reason=ReleaseResponseReason.NORMAL, user_information=sealed)


def require_protected(release: Rlrq, opened_by: Aarq | None, credentials: Credentials) -> bool:
    """Whether what ends an association is protected; SecurityViolation where it is not, and ought to be.

    In a ciphered association it ought to, unless the meter's policy has `plain_release`.
    """
    layer, octets = credentials.layer, release.user_information or b""
    context = None if opened_by is None else opened_by.application_context_name
    if layer is None or context is None or not context.is_ciphered:
        return False
    if not octets and credentials.plain_release:
        return False
    if not isinstance(decode_apdu(layer.open_release(octets)), InitiateRequest):
        raise RemoteProtocolError("an RLRQ that holds something else than an Initiate", layer="association")
    return True


def _sealed(layer: SecurityLayer, initiate: bytes) -> bytes | None:
    """Protected; None where no invocation counter is left for it: an association ends all the same."""
    try:
        return layer.seal_initiate(initiate)
    except SecurityError:
        return None
