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
    assert _blocks(Path(certifi.where())) <= _blocks(bundle)
    assert len(_blocks(bundle)) == text.count("BEGIN CERTIFICATE")
    ssl.create_default_context(cafile=str(bundle))
    assert settings.ca_dir.stat().st_mode & 0o777 == 0o700
    again = ca.ensure_authority(settings, {"SSL_CERT_FILE": str(bundle)})
    assert ours in again.read_text()
    assert (settings.ca_dir / "mitmproxy-ca.pem").stat().st_mode & 0o077 == 0
    trusted = ca.trusted_upstream(settings)
    assert trusted is not None
    assert ours not in trusted.read_text()


def test_without_an_authority_to_add_mitmproxys_own_trust_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ca, "_usual", lambda: [Path(certifi.where())])
    assert ca.trusted_upstream(load({"home": tmp_path}, {})) is None


def test_providers_are_checked_against_what_the_system_trusts_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = tmp_path / "company.pem"
    company.write_text("-----BEGIN CERTIFICATE-----\nY29tcGFueQ==\n-----END CERTIFICATE-----\n")
    monkeypatch.setattr(ca, "_SYSTEM", (str(tmp_path / "absent.pem"), str(company)))
    (tmp_path / "home" / "ca").mkdir(parents=True)
    trusted = ca.trusted_upstream(load({"home": tmp_path / "home"}, {}))
    assert trusted is not None
    assert _blocks(trusted) == _blocks(company) | _blocks(Path(certifi.where()))


def test_a_bundle_with_more_is_a_file_of_its_own(tmp_path: Path) -> None:
    settings = load({"home": tmp_path / "home"}, {})
    bundle = ca.ensure_authority(settings, {})
    company = tmp_path / "company.pem"
    company.write_text("-----BEGIN CERTIFICATE-----\nY29tcGFueQ==\n-----END CERTIFICATE-----\n")
    assert ca.bundle_with(settings, []) == bundle
    assert ca.bundle_with(settings, [bundle]) == bundle
    assert _blocks(ca.bundle_with(settings, [company])) == _blocks(bundle) | _blocks(company)


def _blocks(path: Path) -> set[str]:
    return set(ca._CERTIFICATE.findall(path.read_text()))


def test_a_bundle_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    settings = load({"home": tmp_path}, {})
    (settings.ca_dir / "bundle.pem").mkdir(parents=True)
    with pytest.raises(StartError, match=r"cannot make .*bundle"):
        ca.ensure_authority(settings, {})
