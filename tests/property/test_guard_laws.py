"""Who may come in: no header that a page cannot leave out opens what the others closed, and programs are let alone."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from llmprof_addon.capture.guard import Asked, Rules, is_loopback, is_us, may_use, refusal

hosts = st.sampled_from(["localhost", "127.0.0.1", "[::1]", "evil.example", "localhost.evil.example", "192.0.2.7", ""])
names = st.builds(lambda host, port: f"{host}:{port}" if port else host, hosts, st.sampled_from(["", "4000", "80"]))
origins = st.one_of(
    st.none(),
    st.builds(lambda scheme, name: f"{scheme}://{name}", st.sampled_from(["http", "https", "app", "x"]), names),
    st.text(max_size=12),
)
asked = st.builds(
    Asked,
    names=st.lists(names, max_size=2).map(tuple),
    origin=origins,
    site=st.sampled_from([None, "none", "same-origin", "same-site", "cross-site", "x"]),
    is_own=st.booleans(),
    is_near=st.booleans(),
    has_token=st.booleans(),
)
rules = st.builds(
    Rules,
    bound_to=st.sampled_from(["127.0.0.1", "localhost", "0.0.0.0", "::", "192.0.2.7"]),
    machine=st.just("workshop"),
    has_keys=st.booleans(),
    origins=st.sampled_from([(), ("https://chat.corp.example",)]),
)


@given(asked, rules)
def test_a_program_of_this_machine_is_let_alone(asked: Asked, rules: Rules) -> None:
    plain = replace(asked, origin=None, site=None, is_own=False, is_near=True)
    assert refusal(plain, replace(rules, has_keys=False)) is None
    ours = replace(plain, names=("localhost:4000",))
    assert refusal(ours, rules) is None


@given(asked, rules)
def test_keys_and_own_endpoints_are_for_no_page_but_ours(asked: Asked, rules: Rules) -> None:
    if (asked.is_own or rules.has_keys) and refusal(asked, rules) is None:
        assert asked.site in (None, "none", "same-origin")
        assert asked.origin is None or asked.origin.partition("://")[2].lower() in {n.lower() for n in asked.names}


@given(asked, rules)
def test_a_page_never_comes_by_a_name_of_its_own(asked: Asked, rules: Rules) -> None:
    if (asked.origin is not None or asked.site is not None) and refusal(asked, rules) is None:
        assert asked.names
        assert all(is_us(name, rules) for name in asked.names)


@given(asked, rules)
def test_nobody_comes_from_elsewhere_without_the_token(asked: Asked, rules: Rules) -> None:
    far = replace(asked, is_near=False, has_token=False)
    if not is_loopback(rules.bound_to):
        no = refusal(far, rules)
        assert no is not None
        assert no.code == "token_required"


@given(asked, rules)
def test_the_less_is_said_of_a_page_the_less_is_refused(asked: Asked, rules: Rules) -> None:
    """Whoever is let in as a page of another site is let in as a program; data and keys only make it stricter."""
    if refusal(asked, rules) is None:
        assert refusal(replace(asked, origin=None, site=None), rules) is None
    stricter = replace(rules, has_keys=True)
    if refusal(asked, stricter) is None:
        assert refusal(asked, rules) is None
    data = replace(asked, is_own=True, is_data=True)
    if refusal(data, rules) is None:
        assert refusal(replace(data, is_data=False), rules) is None


@given(st.text(max_size=30), rules)
def test_origins_are_taken_whole(text: str, rules: Rules) -> None:
    assert not may_use(f"https://evil.example{text.replace(':', '')}", rules)
    assert not may_use(f"http://localhost{text.strip()}.evil.example", rules)
