import pytest

from llmprof_addon.model.call import SECTIONS, Answer, Prompt
from llmprof_addon.providers.dialects import MODULES, Dialect, by_api
from llmprof_addon.providers.registry import APIS


@pytest.mark.parametrize("api", MODULES)
def test_each_module_is_a_dialect(api: str) -> None:
    dialect = by_api(api)
    assert dialect is not None
    assert dialect.api == api
    assert sorted(dialect.section_order) == sorted(SECTIONS)
    assert isinstance(dialect.read_request({}), Prompt)
    assert isinstance(dialect.read_response({}), Answer)
    assert isinstance(dialect.read_response(dialect.fold([])), Answer)


def test_every_api_of_the_registry_has_a_dialect() -> None:
    assert set(APIS) <= set(MODULES)


def test_an_unknown_api_has_none() -> None:
    assert by_api("smoke.signals") is None


def test_a_module_satisfies_the_protocol() -> None:
    from llmprof_addon.providers import anthropic_messages

    dialect: Dialect = anthropic_messages
    assert dialect is by_api("anthropic.messages")
