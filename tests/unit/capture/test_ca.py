import ssl
from pathlib import Path

import certifi
import pytest

from llmprof_addon.capture import ca
from llmprof_addon.errors import StartError
from llmprof_addon.settings import load


def test_the_bundle_holds_the_usual_authorities_the_users_and_ours(tmp_path: Path) -> None:
    mine = tmp_path / "mine.pem"
    mine.write_text(
        Path(certifi.where()).read_text().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    )
    settings = load({"home": tmp_path / "home"}, {"LLMPROF_UPSTREAM_CA": str(mine)})
    bundle = ca.ensure_authority(settings, {"SSL_CERT_FILE": str(mine)})
    text = bundle.read_text()
    ours = (settings.ca_dir / "mitmproxy-ca-cert.pem").read_text().strip()
    assert ours in text
    assert Path(certifi.where()).read_text().strip() in text
    ssl.create_default_context(cafile=str(bundle))
    assert settings.ca_dir.stat().st_mode & 0o777 == 0o700
    again = ca.ensure_authority(settings, {"SSL_CERT_FILE": str(bundle)})
    assert ours in again.read_text()
    assert (settings.ca_dir / "mitmproxy-ca.pem").stat().st_mode & 0o077 == 0
    trusted = ca.trusted_upstream(settings)
    assert trusted is not None
    assert ours not in trusted.read_text()


def test_without_an_authority_to_add_mitmproxys_own_trust_stays(tmp_path: Path) -> None:
    assert ca.trusted_upstream(load({"home": tmp_path}, {})) is None


def test_a_bundle_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    settings = load({"home": tmp_path}, {})
    (settings.ca_dir / "bundle.pem").mkdir(parents=True)
    with pytest.raises(StartError, match=r"cannot make .*bundle"):
        ca.ensure_authority(settings, {})
