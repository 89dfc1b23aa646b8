"""TLS under the wrapper: what a client trusts, and what it shows of itself. The protocol is the standard library's.

DLMS has no TLS profile of its own: it is TCP with the wrapper inside, as gateways and head-ends offer it.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

from meterwright.errors import SecurityError, UsageError

__all__ = ["TlsSettings", "not_trusted", "tls_context"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSettings:
    """Whom to trust, and who we are. Files hold PEM.

    `ca` has the certificates that may sign the meter's (the system's own where it is None), `certificate` and `private_key` are ours
    where the meter wants to see one. `server_name` is the name that its certificate must bear, the host of the address unless given.
    """

    ca: Path | None = None
    certificate: Path | None = None
    private_key: Path | None = None
    server_name: str | None = None


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer, the other side's certificate always checked. UsageError where a file can't be used."""
    if settings.certificate is None and settings.private_key is not None:
        raise UsageError("a private key without its certificate shows nobody who we are")
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if settings.certificate is not None:
            context.load_cert_chain(settings.certificate, settings.private_key, password=_refuse_to_ask)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; its words name no content
        reason = (
            error.strerror if isinstance(error, OSError) and error.strerror else "it is no PEM of that kind"
        )
        raise UsageError(
            f"the files of TLS cannot be used: {reason}",
            hint="ca and certificate are PEM files, the private key fits the certificate and has no passphrase",
        ) from None
    return context


def _refuse_to_ask() -> str:
    """OpenSSL would ask at the terminal."""
    raise ValueError


def not_trusted(host: str, error: ssl.SSLError) -> SecurityError:
    """The error for a handshake that came to nothing."""
    reason = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else error.reason
    return SecurityError(
        f"no TLS connection with {host}: {reason or error}",
        layer="transport",
        hint="check whom it is to trust (ca), the name in its certificate, and whether it wants to see one of ours",
    )
