"""What is remembered of texts that were looked at has its bound in bytes, not in texts."""

import pytest

from llmprof_addon.findings import texts
from llmprof_addon.model.recent import Recent


def test_long_texts_push_each_other_out(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered: Recent[bytes, texts.Features] = Recent(1_000, texts._recent._size_of)
    monkeypatch.setattr(texts, "_recent", remembered)
    contents = {bytes([number]): " ".join(f"word{number}-{at}" for at in range(500)) for number in range(50)}
    for digest in contents:
        found = texts.features(contents, digest)
        assert found is not None
        assert len(found.sketch) == texts.SKETCH
        assert texts.features(contents, digest) is found
    held = [*remembered._young.values(), *remembered._old.values()]
    assert 0 < sum(len(each.sketch) for each in held) <= 2_000
