"""The proxy's own certificate authority, and the bundles that trust it beside the usual ones."""

import hashlib
import os
import re
import ssl
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import certifi
from mitmproxy.certs import CertStore

from llmprof_addon.errors import StartError
from llmprof_addon.settings import Settings

NAME = "mitmproxy"
"""The base name under which mitmproxy looks for an authority in its folder."""
_KEY_BITS = 2048
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)

_SYSTEM = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep the authorities that their administrator trusts (Debian, Fedora, SUSE, BSD and macOS)."""


def ensure_authority(settings: Settings, environ: Mapping[str, str] = os.environ) -> Path:
    """Create the authority unless it exists; the bundle for clients, which a variable like SSL_CERT_FILE takes.

    The bundle holds the usual authorities, those that the variable names so far, and our own: such variables replace
    a client's store, and most of its hosts are passed through with their original certificates.
    """
    folder = settings.ca_dir
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    certificate = folder / f"{NAME}-ca-cert.pem"
    if not (folder / f"{NAME}-ca.pem").exists():
        CertStore.create_store(folder, NAME, _KEY_BITS, organization="llmprof", cn="llmprof")
    bundle = folder / "bundle.pem"
    found = environ.get("SSL_CERT_FILE")
    more = [Path(found)] if found and Path(found) != bundle and Path(found).is_file() else []
    _combine(bundle, [*_usual(), *more, *_asked(settings), certificate])
    return bundle


def bundle_with(settings: Settings, more: Sequence[Path]) -> Path:
    """The bundle for clients with further files of authorities in it, each set of them in a file of its own."""
    bundle = settings.ca_dir / "bundle.pem"
    more = [path for path in more if path.parent != bundle.parent]
    if not more:
        return bundle
    name = hashlib.sha256("\0".join(map(str, more)).encode()).hexdigest()[:8]
    path = settings.ca_dir / f"bundle-{name}.pem"
    _combine(path, [bundle, *more])
    return path


def trusted_upstream(settings: Settings) -> Path | None:
    """The bundle with which providers' certificates are checked; `None`: mitmproxy's own, which is certifi's."""
    usual = [*_usual(), *_asked(settings)]
    if len(usual) == 1:
        return None
    path = settings.ca_dir / "upstream.pem"
    _combine(path, usual)
    return path


def _usual() -> list[Path]:
    """What Python's clients trust, and what this system does: a company's own authority is in the latter alone."""
    system = next(filter(os.path.isfile, (*_SYSTEM, ssl.get_default_verify_paths().openssl_cafile)), None)
    return [Path(certifi.where()), *([Path(system)] if system else [])]


def _asked(settings: Settings) -> list[Path]:
    return [settings.upstream_ca] if settings.upstream_ca else []


def _combine(path: Path, sources: Iterable[Path]) -> None:
    try:
        texts = (source.read_text("utf-8", "replace") for source in sources)
        found = dict.fromkeys(block for text in texts for block in _CERTIFICATE.findall(text))
        text = "\n".join(found) + "\n"
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        # Also by a program of another account, as one in a container is: it holds public certificates alone.
        draft.write_text(text, "utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise StartError(
            f"cannot make {path}: {error.filename or ''} {error.strerror}", hint="check the rights of that file"
        ) from error
