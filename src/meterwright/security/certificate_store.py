"""Certificates that one party holds, and how one is proved: by a chain that ends at an authority this party trusts.

Stands above `certificates`; Green Book 9.2.6.4 and RFC 5280, 6. There is no clock in here: the time of the judgement comes in, and
no file: who keeps a store keeps the DER octets of `anchors` and `held`.

Refused in `verify`, each with its reason: what no trusted authority issued, directly or by others; what is not valid at that time;
another use; another's title; an authority that is none, or may not have so many below it; a key on a larger curve than the one that
signs for it; extensions that are critical and unknown. Lists of revoked certificates are not known to DLMS meters, nor here.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from meterwright.errors import UsageError
from meterwright.security.certificates import Certificate
from meterwright.security.violation import SecurityViolation, Violation
from meterwright.values import CertificateType

__all__ = ["MOST_CERTIFICATES", "CertificateStore"]

MOST_CERTIFICATES: Final = 64
"""How many certificates one party holds at the most."""
_MOST_AUTHORITIES: Final = 4
"""Above one another."""


@dataclass(frozen=True, slots=True)
class CertificateStore:
    """What is trusted unconditionally (`anchors`: root authorities), and what is `held` besides: other authorities, and parties.

    A value: to add or to remove makes another store.
    """

    anchors: tuple[Certificate, ...] = ()
    held: tuple[Certificate, ...] = ()

    def __post_init__(self) -> None:
        if len(self.anchors) + len(self.held) > MOST_CERTIFICATES:
            raise UsageError(
                f"more than {MOST_CERTIFICATES} certificates",
                layer="security",
                hint="remove those that are not needed any more",
            )

    def __iter__(self) -> Iterator[Certificate]:
        return iter((*self.anchors, *self.held))

    def __contains__(self, certificate: object) -> bool:
        return certificate in self.anchors or certificate in self.held

    def adding(self, certificate: Certificate) -> "CertificateStore":
        """With one more. What is there is not added again. UsageError where the store is full."""
        return self if certificate in self else replace(self, held=(*self.held, certificate))

    def removing(self, certificate: Certificate) -> "CertificateStore":
        """Without one that is held. Who is trusted unconditionally is not removed so."""
        return replace(self, held=tuple(each for each in self.held if each != certificate))

    def of(self, system_title: bytes, use: CertificateType) -> tuple[Certificate, ...]:
        """What this title has for that use, the newest first."""
        found = [each for each in self if each.system_title == system_title and each.use is use]
        return tuple(sorted(found, key=lambda each: each.not_before, reverse=True))

    def authorities(self) -> tuple[Certificate, ...]:
        """The certificates of authorities."""
        return tuple(each for each in self if each.is_authority)

    def numbered(self, serial_number: bytes, issuer: bytes) -> Certificate | None:
        """The one that bears this number of this issuer."""
        return next((each for each in self if each.has_serial(serial_number, issuer)), None)

    def verify(
        self,
        certificate: Certificate,
        at: datetime,
        *,
        use: CertificateType | None = None,
        system_title: bytes | None = None,
    ) -> None:
        """SecurityViolation where it is not, at that time, this title's certificate for this use.

        Without `use` and `system_title` (of an authority, say) only the chain is proved.
        """
        if use is not None and certificate.use is not use:
            raise _refused(f"it is for {certificate.use.label}, not for {use.label}")
        if system_title is not None and certificate.system_title != system_title:
            raise _refused("it is another party's: the system title in it is another")
        seen, links = {certificate.der}, deque((_Link(certificate),))
        reasons: list[SecurityViolation] = []
        while links:
            link = links.popleft()
            wrong = link.judge(at)
            if wrong is not None:
                reasons.append(wrong)
            elif link.certificate in self.anchors:
                return
            else:
                issuers = [each for each in self._issuers(link) if each.der not in seen]
                seen.update(each.der for each in issuers)
                links.extend(_Link(each, link.authorities + 1) for each in issuers)
        raise reasons[-1] if reasons else _refused("nobody who is trusted has issued it")

    def _issuers(self, link: "_Link") -> Iterable[Certificate]:
        """Whose key signed it, and is no weaker than its own."""
        if link.authorities == _MOST_AUTHORITIES:
            return ()
        mine = link.certificate
        return (each for each in self if each.curve.size >= mine.curve.size and mine.was_issued_by(each))


@dataclass(frozen=True, slots=True)
class _Link:
    """One certificate of a chain that is being followed upwards. `authorities`: the how manieth of them it is; 0 is the party."""

    certificate: Certificate
    authorities: int = 0

    def judge(self, at: datetime) -> SecurityViolation | None:
        """What is wrong with it, in its place."""
        mine = self.certificate
        if not mine.is_valid_at(at):
            when = "not valid yet" if at < mine.not_before else "not valid any more"
            return _refused(f"{'the authority that issued it' if self.authorities else 'it'} is {when}")
        if not mine.understood:
            return _refused("it says something critical that is not understood")
        if self.authorities and (mine.may_issue is None or mine.may_issue < self.authorities - 1):
            return _refused("it was issued by somebody who may not")
        return None


def _refused(why: str) -> SecurityViolation:
    return SecurityViolation(
        Violation.CERTIFICATE,
        f"a certificate is not to be trusted: {why}",
        hint="check whose it is, the time it was judged at, and that its authority's certificate is among the trusted ones",
    )
