"""The proxy's own certificate authority, and the bundles that trust it beside the usual ones."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import certifi
from mitmproxy.certs import CertStore

from llmprof_addon.errors import StartError
from llmprof_addon.settings import Settings

NAME = "mitmproxy"
"""The base name under which mitmproxy looks for an authority in its folder."""
_KEY_BITS = 2048


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
    _combine(bundle, [Path(certifi.where()), *more, *_asked(settings), certificate])
    return bundle


def trusted_upstream(settings: Settings) -> Path | None:
    """The bundle with which providers' certificates are checked; `None`: mitmproxy's own, which is certifi's."""
    if settings.upstream_ca is None:
        return None
    path = settings.ca_dir / "upstream.pem"
    _combine(path, [Path(certifi.where()), *_asked(settings)])
    return path


def _asked(settings: Settings) -> list[Path]:
    return [settings.upstream_ca] if settings.upstream_ca else []


def _combine(path: Path, sources: Iterable[Path]) -> None:
    try:
        text = "\n".join(dict.fromkeys(source.read_text("utf-8", "replace").strip() for source in sources)) + "\n"
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        draft.write_text(text, "utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise StartError(
            f"cannot make {path}: {error.filename or ''} {error.strerror}", hint="check the rights of that file"
        ) from error
