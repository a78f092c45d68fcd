"""What opens a conversation, and the tool calls that may have given it."""

from llmprof_addon.grouping.opening import opening, spawned_texts
from llmprof_addon.model.call import Prompt
from tests.store.building import text, tool_call

TASK = "Search the attic for the lost map."


def test_a_tool_call_gives_the_text_that_opens_a_conversation() -> None:
    (spawned,) = spawned_texts([text("assistant", "At once."), tool_call("agent", f'{{"prompt": "{TASK}"}}', "t1")])
    reminder = text("user", "<system-reminder>Be good.</system-reminder>")
    for messages in ([text("user", TASK)], [reminder, text("user", f" {TASK}\n")]):
        assert spawned == ("t1", opening(Prompt(messages=tuple(messages))))


def test_what_proves_nothing() -> None:
    asked, said = text("user", TASK), text("assistant", "Found it.")
    assert opening(Prompt(messages=(asked, said, asked))) is None
    assert opening(Prompt(messages=(asked,), continues="resp_1")) is None
    assert opening(Prompt(messages=(text("user", "Hi"),))) is None
    assert opening(Prompt(messages=(text("user", "<system-reminder>Be good.</system-reminder>"),))) is None
    for arguments in ('{"prompt": "Hi"}', f'{{"path": "{TASK}"}}', f'["{TASK}"]', '{"prompt": 7}', "{", ""):
        assert list(spawned_texts([tool_call("agent", arguments)])) == []
