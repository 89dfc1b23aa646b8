"""TLS under the wrapper, with certificates made here: who is trusted, who is not, and what is said then."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.association.secured import ATTRIBUTE, VALUE, Meter, meter_side

from meterwright.client import BlockingClient, Client, ClientSettings
from meterwright.errors import LinkError, MeterwrightError, SecurityError, UsageError
from meterwright.server import Listener
from meterwright.transport.tls import TlsSettings, tls_context
from meterwright.values import AuthenticationMechanism, SecurityPolicy

ALWAYS = (dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2100, 1, 1, tzinfo=dt.UTC))


def certified(folder: Path, name: str) -> Path:
    """A certificate for this host that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    title = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(title, title, key.public_key(), x509.random_serial_number(), *ALWAYS)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName(name)])
    ca = x509.BasicConstraints(ca=True, path_length=0)
    signed = builder.add_extension(names, critical=False).add_extension(ca, critical=True)
    certificate = signed.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(private + certificate)
    return path


@asynccontextmanager
async def meter(certificate: Path, trusted: Path | None = None) -> AsyncGenerator[str]:
    """A meter behind TLS, which wants to see a certificate of the client where it is told whom to trust."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=trusted)
    context.load_cert_chain(certificate)
    if trusted is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    host = Meter(meter_side(AuthenticationMechanism.LOWEST, SecurityPolicy.NONE))
    listener = Listener(host, trouble=lambda _error: None)
    port = await listener.listen("127.0.0.1", 0, tls=context)
    try:
        yield f"tls://127.0.0.1:{port}?client=1"
    finally:
        await listener.stop()


def settings(ca: Path | None, name: str | None = "localhost", own: Path | None = None) -> ClientSettings:
    """A client that trusts `ca`, expects `name`, and shows `own`."""
    return ClientSettings(tls=TlsSettings(ca=ca, server_name=name, certificate=own, private_key=own))


def test_both_twins_read_over_it(tmp_path: Path) -> None:
    theirs = certified(tmp_path, "meter")

    def read(url: str) -> object:
        with BlockingClient(url, settings(theirs)) as client:
            return client.read(ATTRIBUTE)

    async def scenario() -> None:
        async with meter(theirs) as url:
            async with Client(url, settings(theirs)) as client:
                assert await client.read(ATTRIBUTE) == VALUE
            assert await asyncio.to_thread(read, url) == VALUE

    asyncio.run(scenario())


def test_each_may_want_to_see_the_other_s_certificate(tmp_path: Path) -> None:
    theirs, ours = certified(tmp_path, "meter"), certified(tmp_path, "client")

    async def scenario() -> None:
        async with meter(theirs, trusted=ours) as url:
            async with Client(url, settings(theirs, own=ours)) as client:
                assert await client.read(ATTRIBUTE) == VALUE
            with pytest.raises((SecurityError, LinkError)):
                await Client(url, settings(theirs)).connect()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("ca", "name", "told"),
    [
        ("stranger", "localhost", "self-signed"),
        (None, "localhost", "self-signed"),
        ("meter", "elsewhere", "elsewhere"),
    ],
)
def test_who_is_not_the_one_is_not_talked_to(tmp_path: Path, ca: str | None, name: str, told: str) -> None:
    files = {each: certified(tmp_path, each) for each in ("meter", "stranger")}
    chosen = settings(None if ca is None else files[ca], name)

    async def scenario() -> None:
        async with meter(files["meter"]) as url:
            with pytest.raises(SecurityError, match=told) as caught:
                await Client(url, chosen).connect()
            assert caught.value.hint
            with pytest.raises(SecurityError, match=told):
                await asyncio.to_thread(BlockingClient(url, chosen).connect)

    asyncio.run(scenario())


def test_a_port_without_tls_is_told(tmp_path: Path) -> None:
    theirs = certified(tmp_path, "meter")

    async def scenario() -> None:
        host = Meter(meter_side(AuthenticationMechanism.LOWEST, SecurityPolicy.NONE))
        listener = Listener(host, trouble=lambda _error: None)
        port = await listener.listen("127.0.0.1", 0)
        with pytest.raises(MeterwrightError):
            await Client(f"tls://127.0.0.1:{port}", settings(theirs)).connect()
        await listener.stop()

    asyncio.run(scenario())


def test_files_that_are_none_are_told_without_their_content(tmp_path: Path) -> None:
    no_pem = tmp_path / "none.pem"
    no_pem.write_text("a secret that is no PEM")
    wrong = (
        TlsSettings(ca=no_pem),
        TlsSettings(ca=tmp_path / "missing"),
        TlsSettings(certificate=no_pem),
        TlsSettings(private_key=no_pem),
    )
    for each in wrong:
        with pytest.raises(UsageError) as caught:
            tls_context(each)
        assert "secret" not in str(caught.value)


def test_a_key_with_a_passphrase_is_not_asked_for(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"opensesame"),
        )
    )
    with pytest.raises(UsageError):
        tls_context(TlsSettings(certificate=certified(tmp_path, "ours"), private_key=locked))
