"""A loopback server that keeps each request as it stood on the wire, to the byte, and a client that sends bytes."""

import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Self

OK = b'HTTP/1.1 200 OK\r\nX-Odd_Case: Kept\r\ncontent-length: 2\r\nalt-svc: h3=":443"\r\nx-odd_case: twice\r\n\r\nok'


@dataclass
class RawServer:
    """Answers `OK` to every request; use as a context manager."""

    tls: ssl.SSLContext | None = None
    received: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listening.close()

    @property
    def url(self) -> str:
        """Its base URL."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def _accept(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            connection = self.tls.wrap_socket(plain, server_side=True) if self.tls else plain
            with connection:
                while request := read_message(connection):
                    self.received.append(request)
                    connection.sendall(OK)
        except OSError:
            pass


def read_message(connection: socket.socket) -> bytes:
    """One HTTP/1 message as it came; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := connection.recv(65536)):
            return data
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    names = dict(line.lower().partition(b":")[::2] for line in head.split(b"\r\n")[1:])
    length = int(names.get(b"content-length", b"0"))
    chunked = names.get(b"transfer-encoding", b"").strip() == b"chunked"
    while not body.endswith(b"0\r\n\r\n") if chunked else len(body) < length:
        more = connection.recv(65536)
        if not more:
            break
        body += more
    return head + b"\r\n\r\n" + body


def tunnel(port: int, host: str, trusted: ssl.SSLContext) -> socket.socket:
    """A TLS connection to a host through the forward listener at this port."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=120)
    plain.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nhost: {host}:443\r\n\r\n".encode())
    assert plain.recv(4096).startswith(b"HTTP/1.1 200")
    return trusted.wrap_socket(plain, server_hostname=host)
