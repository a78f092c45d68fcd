"""The demo's conversation: a coding agent that mends a flaky upload test, in twelve scripted turns.

Only the agent's own side and the tools' results are written down here; what each turn costs comes from the wire, as it
would with a real provider.
"""

from dataclasses import dataclass

from llmprof_addon.model.part import Json

MODEL = "claude-sonnet-4-5"

SYSTEM = """You are Forge, a careful software engineer who works in a terminal.

## How to work
Read before you edit. Keep changes small, run the tests after each of them, and say what you saw rather than what you
expect. Never touch files outside the repository. When a command fails, read its whole output before you try again.

## Style
Follow the conventions that the code already has. Do not add comments that repeat the code. Prefer the standard library.

## Answers
Be brief. Name files with their line, e.g. `app/upload.py:42`. End with what was verified and what was not.
"""

REMINDER = """<system-reminder>
Session of {started}. Working directory: a clean checkout of the branch `main`, three commits ahead of the remote. The
project has a Makefile with the targets test, lint and docs. Python 3.13 is on the path.
</system-reminder>"""
"""What agents put before the first request; the time in it sets one session apart from the next."""

REQUEST = "The test test_upload_retries is flaky: about one run in ten fails. Find out why, and mend it for good."


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the model answers and, unless it is the last turn, what its tool call gives."""

    say: str
    tool: str = ""
    arguments: Json = None
    result: str = ""


def tool(name: str, description: str, **parameters: str) -> Json:
    """A tool schema whose parameters are all required strings, described by the values."""
    properties = {key: {"type": "string", "description": text} for key, text in parameters.items()}
    schema = {"type": "object", "properties": properties, "required": list(parameters)}
    return {"name": name, "description": description, "input_schema": schema}


TOOLS = [
    tool(
        "read_file",
        "Read a text file and return its content with line numbers. Long files are cut after 2,000 lines; give a line "
        "to start from to read on.",
        path="Path of the file, relative to the repository",
        start_line="Line to start from, 1 by default",
    ),
    tool(
        "search",
        "Search all files of the repository for a regular expression and return the matching lines with their paths.",
        pattern="Regular expression, in Python's syntax",
        glob="Only files whose path matches this pattern, e.g. tests/**/*.py",
    ),
    tool(
        "edit_file",
        "Replace an exact piece of text in a file. The old text has to occur exactly once.",
        path="Path of the file, relative to the repository",
        old="The text to replace, with its white space",
        new="The text to put in its place",
    ),
    tool(
        "run_command",
        "Run a shell command in the repository and return its exit code and output, the last 200 lines of it.",
        command="The command line",
        timeout_seconds="After how many seconds to stop it, 120 by default",
    ),
    *(
        tool(
            f"mcp__tracker__{name}",
            f"{text} Works on the issue tracker of the team that owns the current repository. Results are paged, fifty "
            "at a time; pass the cursor of the last page to get the next one. Dates are ISO 8601 in UTC. Names of "
            "people are their login names, not their display names. Fails with a clear message if the token has no "
            "right to the project.",
            project="Key of the project, e.g. CORE",
            query="Search expression of the tracker, e.g. status:open label:flaky",
            fields="Comma-separated names of the fields to return; all of them by default",
            cursor="Cursor of the last page, empty for the first one",
        )
        for name, text in (
            ("list_issues", "List issues, the newest first, with their title, state, labels and assignees."),
            ("get_issue", "Get one issue with its description, all comments, links and the history of its fields."),
            ("create_issue", "Create an issue with title, description, labels and an assignee."),
            ("update_issue", "Change fields of an issue; what is not named stays as it is."),
            ("list_sprints", "List the sprints of a board with their dates and their state."),
            ("get_burndown", "Get the remaining work of a sprint, a number for each day."),
            ("list_members", "List the members of a project with their roles and their time zones."),
        )
    ),
]


def _source(module: str, functions: int) -> str:
    """A plausible source file, numbered as the agent's read tool numbers it."""
    lines = [f'"""Parts of the {module} module."""', "", "import time", "from dataclasses import dataclass", ""]
    for index in range(functions):
        lines += [
            f"def {module}_step_{index}(client, payload, *, attempts=3, pause_seconds=0.{index + 1}):",
            f'    """Send part {index} of a payload, again after a pause if the server is busy."""',
            "    for attempt in range(attempts):",
            f"        answer = client.post('/{module}/{index}', data=payload[{index * 512}:{index * 512 + 512}])",
            "        if answer.status < 500:",
            "            return answer",
            "        time.sleep(pause_seconds * 2**attempt)",
            f"    raise TimeoutError('{module} part {index}: the server stayed busy')",
            "",
        ]
    return "\n".join(f"{number:>5}\t{line}" for number, line in enumerate(lines, 1))


def _test_output(failed: int) -> str:
    """What a test runner prints: one line a test, then the summary."""
    lines = [f"tests/test_upload.py::test_upload_part_{index:02d} PASSED  [{index * 2:3d}%]" for index in range(48)]
    if failed:
        lines += [
            "tests/test_upload.py::test_upload_retries FAILED [100%]",
            "E   assert clock.slept == [0.1, 0.2, 0.4]",
        ]
        lines += ["E   At index 2 diff: 0.39999999 != 0.4", f"{failed} failed, 48 passed in 3.21s"]
    else:
        lines += ["tests/test_upload.py::test_upload_retries PASSED [100%]", "49 passed in 1.07s"]
    return "\n".join(lines)


def _call(say: str, tool: str, result: str, **arguments: str) -> Turn:
    return Turn(say=say, tool=tool, arguments=arguments, result=result)


TURNS = (
    _call(
        "I will look for the test first.", "search",
        "tests/test_upload.py:88:def test_upload_retries(server, clock):\napp/upload.py:41:def retry(send, attempts):",
        pattern="test_upload_retries|def retry", glob="**/*.py",
    ),
    _call("Here is the module under test.", "read_file", _source("upload", 30), path="app/upload.py", start_line="1"),
    _call("Now the test itself.", "read_file", _source("test_upload", 14), path="tests/test_upload.py", start_line="1"),
    _call(
        "Let me see it fail.", "run_command", _test_output(1),
        command="python -m pytest tests/test_upload.py -v --count 20", timeout_seconds="300",
    ),
    _call(
        "The pause is measured with the wall clock. Who else does that?", "search",
        "\n".join(f"app/part_{n}.py:{n * 7 + 3}:    started = time.time()" for n in range(24)),
        pattern=r"time\.time\(\)", glob="app/**/*.py",
    ),
    _call("The helper they all share:", "read_file", _source("clock", 16), path="app/clock.py", start_line="1"),
    _call(
        "I will let the retry loop ask the injected clock.", "edit_file", "app/upload.py: 1 replacement",
        path="app/upload.py", old="        time.sleep(pause_seconds * 2**attempt)",
        new="        clock.sleep(pause_seconds * 2**attempt)",
    ),
    _call(
        "The import follows.", "edit_file", "app/upload.py: 1 replacement",
        path="app/upload.py", old="import time\n", new="from app.clock import clock\n",
    ),
    _call(
        "Twenty runs again.", "run_command", _test_output(0),
        command="python -m pytest tests/test_upload.py -v --count 20", timeout_seconds="300",
    ),
    _call(
        "All green. Does anything else depend on the old import?", "run_command",
        "\n".join(f"tests/test_{name}.py ..........  [{n * 9:3d}%]" for n, name in enumerate(
            ("api", "auth", "clock", "config", "jobs", "parts", "queue", "retry", "store", "upload", "web")))
        + "\n312 passed in 41.80s",
        command="make test", timeout_seconds="600",
    ),
    _call("One look at all changes.", "run_command", _source("diff", 5), command="git diff", timeout_seconds="30"),
    Turn(
        say="The test compared pauses that were measured with the wall clock, and about one run in ten lost a few "
        "nanoseconds to rounding. `app/upload.py:41` asks the injected clock instead, as the rest of the package does. "
        "Verified: the test twenty times over, and the whole suite (312 passed). Not verified: other platforms."
    ),
)  # fmt: skip
