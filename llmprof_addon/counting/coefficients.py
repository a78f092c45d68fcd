"""What model families make of o200k_base counts: tokens per unit, as data.

Fitted on recorded calls with their reported usage (`tests/fit_families.py` prints these rows), pulled towards what a
vendor publishes or what its neighbours show where recordings are few.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """Tokens per raw token of some kind, or per thing that is there."""

    const: float = 4.0
    message: float = 3.0
    """Each message after the first."""
    prose: float = 1.05
    json: float = 1.1
    nonlatin: float = 1.05
    tools: float = 120.0
    """Hidden preamble as soon as there is any tool."""
    forced: float = 0.0
    """Beside it, where the request forces a tool."""
    documents: float = 0.0
    """Hidden preamble as soon as documents stand beside the conversation."""
    tool: float = 5.0
    """Each tool after the first."""
    tool_json: float = 1.0
    call: float = 15.0
    """Framing of a tool call and of its result."""
    call_json: float = 1.2
    schema: float = 0.0
    """Hidden preamble of an output schema."""
    schema_json: float = 1.0
    reasoning: float = 1.0
    thinking: float = 0.0
    """Hidden text where the request turns thinking on."""
    thoughts: float = 0.0
    """Each character of encrypted reasoning; 0 where it is estimated as OpenAI's is."""
    sealed: float = 0.32
    """Each character of encrypted content that is not reasoning, such as search results."""
    answer: float = 3.0
    """What an answer costs beside its parts."""


OTHER = Coefficients()
"""Of a model that nobody has measured."""

# fmt: off
COEFFICIENTS: dict[str, Coefficients] = {
    "openai": Coefficients(const=7, message=4, prose=1, json=1, nonlatin=1, tools=15, tool_json=0.7, call=8,
        call_json=1),
    "claude-3": Coefficients(const=7.27, message=2.5, prose=1.15, json=1.27, nonlatin=1.15, tools=264, forced=76,
        tool=8, tool_json=1.28, call=40, call_json=1.5, schema=93, schema_json=2, reasoning=1.15, thinking=29,
        sealed=0.31),
    "claude-3-opus": Coefficients(const=6.91, message=1.85, prose=1.16, json=1.27, nonlatin=1.15, tools=530,
        forced=-249, tool=8, tool_json=1.28, call=40, call_json=1.5, schema=93, schema_json=2, reasoning=1.15,
        thinking=29, sealed=0.31),
    "claude-3-sonnet": Coefficients(const=6, message=2.5, prose=1.15, json=1.27, nonlatin=1.15, tools=159,
        forced=76, tool=8, tool_json=1.28, call=40, call_json=1.5, schema=93, schema_json=2, reasoning=1.15,
        thinking=29, sealed=0.31),
    "claude-3.5-haiku": Coefficients(const=7.27, message=2.58, prose=1.15, json=1.3, nonlatin=1.15, tools=254,
        forced=76, tool=7.93, tool_json=1.36, call=47, call_json=1.55, schema=93, schema_json=2, reasoning=1.15,
        thinking=29, sealed=0.31),
    "claude-3.5": Coefficients(const=5.38, message=2.5, prose=1.16, json=1.3, nonlatin=1.15, tools=294, forced=-33,
        tool=8, tool_json=1.28, call=40, call_json=1.5, schema=93, schema_json=2, reasoning=1.15, thinking=29,
        sealed=0.31),
    "claude-3.7": Coefficients(const=5.59, message=2.59, prose=1.16, json=1.4, nonlatin=1.16, tools=319,
        forced=4.42, tool=8, tool_json=1.33, call=44, call_json=1.53, schema=93, schema_json=2, reasoning=1.15,
        thinking=29, sealed=0.31),
    "claude-4": Coefficients(const=5.49, message=3.14, prose=1.15, json=1.32, nonlatin=1.15, tools=328, forced=-30,
        tool=11.22, tool_json=1.13, call=57, call_json=1.61, schema=93, schema_json=2, reasoning=1.08, thinking=29,
        sealed=0.3),
    "claude-4.5": Coefficients(const=6.35, message=2.72, prose=1.18, json=1.42, nonlatin=1.15, tools=504, forced=95,
        tool=6.64, tool_json=1.26, call=43, call_json=1.59, schema=89, schema_json=2.07, reasoning=1.13,
        thinking=28, sealed=0.31),
    "claude-4.6": Coefficients(const=5.62, message=2.62, prose=1.15, json=1.36, nonlatin=1.15, tools=521,
        forced=110, tool=8, tool_json=1.2, call=48, call_json=1.53, schema=100, schema_json=2.09, reasoning=1.15,
        thinking=29, sealed=0.31),
    "claude-5": Coefficients(const=5.64, message=1.97, prose=1.53, json=1.4, nonlatin=1.2, tools=375, forced=151,
        tool=7.31, tool_json=1.48, call=18.85, call_json=1.52, schema=93, schema_json=2, reasoning=1.15,
        thinking=29, sealed=0.41),
    "gemini-2": Coefficients(const=0, message=0, prose=1.1, json=1.14, nonlatin=1.08, tools=0.34, forced=6.16,
        tool=0, call=20, call_json=0.9, schema_json=0, reasoning=1, thoughts=0.16),
    "gemini-3": Coefficients(const=0, message=0.5, prose=1.06, json=1.07, nonlatin=1.07, tools=8, tool=0,
        tool_json=1.06, call=9, call_json=1.1, schema_json=0, reasoning=1, thoughts=0.175),
    "gemini-3.5": Coefficients(const=0.47, message=0.47, prose=1.09, json=1.1, nonlatin=1.07, tools=8, tool=0,
        tool_json=1.06, call=9, call_json=1.1, schema_json=0, reasoning=1, thoughts=0.175),
    "mistral": Coefficients(const=3.13, message=0.52, prose=1.08, json=1.12, nonlatin=1.07, tools=5, tool_json=1.3,
        call=5, schema_json=0),
    "command": Coefficients(const=0, message=6, prose=1.06, json=1, nonlatin=1.06, tools=2, tool_json=0.6, call=0),
    "command-a": Coefficients(const=496, message=6, prose=1.06, json=1, nonlatin=1.06, tools=955, documents=1200,
        tool=20, tool_json=0.6, call=50),
    "command-r": Coefficients(const=66, message=6, prose=1.06, json=1, nonlatin=1.06, tools=823, documents=613,
        tool=20, tool_json=0.6, call=80),
    "command-r-08": Coefficients(const=199, message=6, prose=1.0, json=1, nonlatin=1.06, tools=823, documents=613,
        tool=20, tool_json=0.6, call=80),
    "titan": Coefficients(const=3, message=3, prose=1, json=1, nonlatin=1, tools=0),
    "nova-1": Coefficients(const=0, message=1, prose=1.15, json=1.2, nonlatin=1.15, tools=357, forced=20, call=22),
    "nova-2": Coefficients(prose=1, json=1.12, nonlatin=1, tools=831, tool_json=1.1, call=23),
    "glm": Coefficients(const=6.5, message=2.92, prose=0.92, json=0.86, nonlatin=0.96, tools=95, forced=4.31,
        tool=4.61, tool_json=1.18, call=4.26, call_json=1.09, reasoning=1.01),
    "kimi": Coefficients(const=10.98, message=2.84, prose=1, json=0.77, nonlatin=0.9, tools=4.69, tool=6.3,
        tool_json=0.95, call=37, call_json=1.24, reasoning=0.84),
    "deepseek": Coefficients(const=3.84, message=2.43, prose=1, json=1.06, nonlatin=0.98, tools=226, tool=4.82,
        tool_json=1.06, call=38, call_json=1.19, reasoning=0.99),
    "gpt-oss": Coefficients(const=70, message=3.23, prose=0.99, json=1.15, nonlatin=1, tools=26, tool=4.27,
        tool_json=0.6, call=24, call_json=1.01),
    "qwen": Coefficients(prose=1.01, json=1.2, nonlatin=1.01, tools=79, tool=5.03, tool_json=1.16, call=30),
    "llama": Coefficients(const=10, message=5, prose=1, json=1.2, nonlatin=1.02, tools=243, tool_json=0.89, call=2),
    "llama-3.1": Coefficients(const=36, message=5, prose=1, json=1.1, nonlatin=1.02, tools=222, tool_json=0.89,
        call=2, schema=72, schema_json=1.08),
    "grok": Coefficients(const=60, message=3.08, prose=0.95, json=0.86, nonlatin=0.97, tools=245, forced=7.08,
        tool=4.57, tool_json=0.87, call=27, call_json=1.3, reasoning=0),
    "minimax": Coefficients(const=4.02, message=2.99, prose=1.01, json=1.03, nonlatin=1.02, tools=149, tool=5.06,
        tool_json=0.93, call=14.4, call_json=1.1, thinking=0.34),
}
# fmt: on
"""By the name of the family. `openai` serves where a model of OpenAI is spoken to in another's dialect."""
