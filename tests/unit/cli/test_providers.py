import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli

KEY = "sk-fake-0123456789"


@pytest.fixture(autouse=True)
def _nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMPROF_LOCAL_DISCOVERY", "0")


def test_every_provider_with_what_is_configured(llmprof: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("GROQ_API_KEY", KEY),
        ("MISTRAL_API_KEY", ""),
        ("LLMPROF_ENDPOINT_CORP_URL", "https://llm.corp.example/v1"),
        ("LLMPROF_ENDPOINT_CORP_PROVIDER", "azure"),
        ("LLMPROF_ENDPOINT_CORP_KEY", KEY),
        ("LLMPROF_ENDPOINT_CORP_MODELS", "gpt-*, o3"),
        ("LLMPROF_ENDPOINT_XAI_URL", "http://h:1"),
    ):
        monkeypatch.setenv(name, value)
    ran = llmprof("providers", "--home", tmp_path, "--json")
    assert ran.code == 0
    rows = {row["name"]: row for row in map(json.loads, ran.out.splitlines())}
    assert len(rows) == len(ran.out.splitlines()) > 40
    corp = rows["corp"]
    assert (corp["origin"], corp["provider"], corp["url"]) == (
        "endpoint",
        "azure.openai",
        "https://llm.corp.example/v1",
    )
    assert (corp["key_variable"], corp["key_set"], corp["key_from"]) == ("LLMPROF_ENDPOINT_CORP_KEY", True, "proxy")
    assert corp["models"] == ["gpt-*", "o3"]
    assert (rows["groq"]["key_set"], rows["mistral"]["key_set"], rows["lmstudio"]["key_set"]) == (True, False, None)
    assert rows["groq"]["prefixes"] == ["groq"]
    assert rows["gcp.gemini"]["prefixes"] == ["gcp.gemini", "gemini"]
    assert rows["xai"]["origin"] == "endpoint"
    assert "x_ai" not in rows, "the endpoint stands in for it"
    ran = llmprof("providers", "--home", tmp_path)
    assert "✓ GROQ_API_KEY" in ran.out
    assert "https://llm.corp.example/v1" in ran.out
    assert KEY not in ran.out
    assert all(len(line) <= 100 for line in ran.out.splitlines())


def test_a_name_that_leads_nowhere_is_one_line(llmprof: Cli, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[routes]\n"m" = "nobody"\n')
    ran = llmprof("providers", "--home", tmp_path)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "nobody" in ran.err
