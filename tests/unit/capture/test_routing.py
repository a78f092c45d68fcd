from llmprof_addon.capture.routing import connects_to, goes_through_proxy, is_ourselves
from llmprof_addon.settings import Settings, load


def settings(**environ: str) -> Settings:
    return load({}, {f"LLMPROF_{name}" if name != "NO_PROXY" else name: value for name, value in environ.items()})


def test_connections_made_elsewhere() -> None:
    at = settings(CONNECT="API.openai.com:443=http://127.0.0.1:9")
    there = connects_to("api.openai.com", 443, at)
    assert there is not None
    assert there.url == "http://127.0.0.1:9"
    assert connects_to("api.openai.com", 80, at) is None
    assert connects_to("api.openai.com", 443, settings()) is None


def test_what_goes_through_the_proxy() -> None:
    at = settings(UPSTREAM_PROXY="http://corp:3128", NO_PROXY="inside.example,.corp")
    assert goes_through_proxy("api.openai.com", at)
    assert not goes_through_proxy("llm.inside.example", at)
    assert not goes_through_proxy("127.0.0.1", at)
    assert not goes_through_proxy("api.openai.com", settings())


def test_ourselves() -> None:
    ports = {"reverse": 4000, "forward": 4001}
    assert is_ourselves("127.0.0.1", 4000, ports, "127.0.0.1")
    assert is_ourselves("localhost", 4001, ports, "127.0.0.1")
    assert is_ourselves("192.0.2.7", 4000, ports, "192.0.2.7")
    assert not is_ourselves("127.0.0.1", 4002, ports, "127.0.0.1")
    assert not is_ourselves("api.openai.com", 4000, ports, "127.0.0.1")
