"""A front with TLS before a server that has none: it asks for a client certificate and notes what each connection announced."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


@dataclass
class Front:
    """`port` on localhost. `seen` holds the start-up settings of each connection; `refuse_next` closes as many without a word."""

    port: int
    seen: list[dict[str, str]] = field(default_factory=list)
    plain: int = 0
    refuse_next: int = 0


def write_certificates(folder: Path) -> None:
    """ca.pem, another-ca.pem, and server and client certificates that the first has signed (`server.pem`, `server.key`, ...)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    first, last = dt.datetime(2020, 1, 1), dt.datetime(2120, 1, 1)

    def certificate(name: str, signer: str | None, is_ca: bool) -> None:
        keys[name] = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost" if name == "server" else name)])
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subjects.get(signer or name, subject))
            .public_key(keys[name].public_key())
            .serial_number(len(keys))
            .not_valid_before(first)
            .not_valid_after(last)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(keys[signer or name], hashes.SHA256())
        )
        subjects[name] = subject
        pem = serialization.Encoding.PEM
        (folder / f"{name}.pem").write_bytes(built.public_bytes(pem))
        key = folder / f"{name}.key"
        key.write_bytes(keys[name].private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        key.chmod(0o600)  # libpq refuses a key that others may read

    keys: dict[str, ec.EllipticCurvePrivateKey] = {}
    subjects: dict[str, x509.Name] = {}
    certificate("ca", None, True)
    certificate("another-ca", None, True)
    certificate("server", "ca", False)
    certificate("client", "ca", False)


@contextlib.contextmanager
def tls_front(server_socket: str, certificates: Path) -> Iterator[Front]:
    """Listen on a free port of localhost and pass everything that comes through TLS on to the server's socket."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    context.load_verify_locations(certificates / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server(("127.0.0.1", 0)) as listener:
        front = Front(listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, front, context, server_socket), daemon=True).start()
        yield front


def _accept(listener: socket.socket, front: Front, context: ssl.SSLContext, server_socket: str) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_serve, args=(client, front, context, server_socket), daemon=True).start()


def _serve(client: socket.socket, front: Front, context: ssl.SSLContext, server_socket: str) -> None:
    if front.refuse_next > 0:
        front.refuse_next -= 1
        client.close()
        return
    with contextlib.suppress(OSError):
        code = struct.unpack("!ii", _exactly(client, 8))[1]
        while code == GSS_REQUEST:
            client.sendall(b"N")
            code = struct.unpack("!ii", _exactly(client, 8))[1]
        if code != SSL_REQUEST:
            front.plain += 1
            client.close()
            return
        client.sendall(b"S")
        secured = context.wrap_socket(client, server_side=True)
        length = _exactly(secured, 4)
        rest = _exactly(secured, struct.unpack("!i", length)[0] - 4)
        words = rest[4:].decode().split("\0")
        front.seen.append(dict(zip(words[::2], words[1::2], strict=False)))
        server = socket.socket(socket.AF_UNIX)
        server.connect(server_socket)
        server.sendall(length + rest)
        threading.Thread(target=_pass_on, args=(server, secured), daemon=True).start()
        _pass_on(secured, server)


def _exactly(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        part = source.recv(size - len(found))
        if not part:
            raise ConnectionError("closed early")
        found += part
    return found


def _pass_on(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(65536):
            to.sendall(part)
    for end in (source, to):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
