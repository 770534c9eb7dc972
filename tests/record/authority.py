"""A timestamp authority of the tests: certificates and answers by `openssl ts`, which nobody here wrote."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

CONFIGURATION = """
[ req ]
distinguished_name = name
[ name ]
[ root ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[ stamps ]
basicConstraints = critical, CA:FALSE
extendedKeyUsage = critical, timeStamping
[ tsa ]
default_tsa = authority
[ authority ]
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/authority.pem
signer_key = {folder}/authority.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


@dataclass(frozen=True)
class Authority:
    """An authority that keeps its keys in a folder; `root` is the certificate that its readers trust."""

    folder: Path

    @property
    def root(self) -> bytes:
        """Return the root certificate (PEM)."""
        return (self.folder / "root.pem").read_bytes()

    def reply(self, query: bytes) -> bytes:
        """Answer a request as `openssl ts -reply` does."""
        (self.folder / "query.tsq").write_bytes(query)
        _openssl("ts", "-reply", "-config", "tsa.cnf", "-queryfile", "query.tsq", "-out", "reply.tsr", at=self.folder)
        return (self.folder / "reply.tsr").read_bytes()


def made(folder: Path) -> Authority:
    """Make an authority: a root, and a certificate for timestamps under it."""
    folder.mkdir(parents=True)
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder), encoding="utf-8")
    (folder / "serial").write_text("01\n", encoding="ascii")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "tsa.cnf")
    own = ("req", "-x509", *curve, "-subj", "/CN=Root of the tests", "-extensions", "root", "-days", "2")
    _openssl(*own, "-keyout", "root.key", "-out", "root.pem", at=folder)
    wish = ("req", *curve, "-subj", "/CN=Timestamps of the tests", "-keyout", "authority.key", "-out", "authority.csr")
    _openssl(*wish, at=folder)
    grant = ("x509", "-req", "-in", "authority.csr", "-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "2")
    _openssl(*grant, "-extfile", "tsa.cnf", "-extensions", "stamps", "-days", "2", "-out", "authority.pem", at=folder)
    return Authority(folder)


@contextmanager
def listening(authority: Authority) -> Iterator[str]:
    """Let an authority answer over HTTP; yields its address."""

    class Desk(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            wanted = self.headers["Content-Type"] == "application/timestamp-query"
            answer = authority.reply(self.rfile.read(int(self.headers["Content-Length"]))) if wanted else b""
            self.send_response(200 if wanted else 400)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _openssl(*words: str, at: Path) -> None:
    done = subprocess.run(["openssl", *words], cwd=at, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
