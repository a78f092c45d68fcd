"""Bytes as the store keeps them, one by one: contents and small documents, each with a preset dictionary.

zlib, because it packs texts of a few kilobytes smaller than zstd at its usual levels and every reader has it.
"""

import zlib

from llmprof_addon.model.part import Json
from llmprof_addon.model.tree import canonical, parse

# What is stored depends on every byte of these two: they never change. What is commonest stands last, as zlib likes it.
_WORDS = (
    b'["openai-organization","openai-processing-ms","openai-version","2020-10-01"],["x-ratelimit-limit-requests",'
    b'["x-ratelimit-limit-tokens",["x-ratelimit-remaining-requests",["x-ratelimit-remaining-tokens",'
    b'["x-ratelimit-reset-requests",["x-ratelimit-reset-tokens",["anthropic-ratelimit-input-tokens-limit",'
    b'["anthropic-ratelimit-input-tokens-remaining",["anthropic-ratelimit-input-tokens-reset",'
    b'["anthropic-ratelimit-output-tokens-limit",["anthropic-ratelimit-requests-remaining",'
    b'["anthropic-ratelimit-tokens-reset",["anthropic-organization-id",["anthropic-version","2023-06-01"],'
    b'["anthropic-beta","["strict-transport-security","max-age=31536000; includeSubDomains; preload"],'
    b'["x-content-type-options","nosniff"],["cf-cache-status","DYNAMIC"],["cf-ray","["server","cloudflare"],'
    b'["alt-svc","h3=\\":443\\"; ma=86400"],["access-control-expose-headers","X-Request-ID"],'
    b'["vary","Accept-Encoding"],'
    b'["via","1.1 google"],["set-cookie","["x-envoy-upstream-service-time","["x-request-id","["request-id","req_'
    b'["x-stainless-retry-count","0"],["x-stainless-lang","python"],["x-stainless-package-version","'
    b'["x-stainless-os","Linux"],["x-stainless-arch","x64"],["x-stainless-runtime","CPython"],'
    b'["x-stainless-runtime-version","3.1["x-stainless-async","false"],["x-stainless-read-timeout","600"],'
    b'["x-stainless-helper-method","stream"],["x-api-key","["authorization","Bearer ["user-agent","'
    b'["accept-language","*"],["sec-fetch-mode","cors"],["accept-encoding","gzip, deflate, br, zstd"],["accept","*/*"],'
    b'["accept","application/json"],["host","api.openai.com"],["host","api.anthropic.com"],["connection","keep-alive"],'
    b'["transfer-encoding","chunked"],["content-encoding","gzip"],["cache-control","no-cache"],["content-length","'
    b'["content-type","text/event-stream; charset=utf-8"],["content-type","application/json"],["date",", Jan Feb Mar '
    b'Apr May Jun Jul Aug Sep Oct Nov Dec Mon, Tue, Wed, Thu, Fri, Sat, Sun, 2026 GMT"],'
    b'"cached_tokens":0,"audio_tokens":0,"reasoning_tokens":0,"accepted_prediction_tokens":0,'
    b'"rejected_prediction_tokens":0,"prompt_tokens":,"completion_tokens":,"total_tokens":,"prompt_tokens_details":{'
    b'"completion_tokens_details":{"input_tokens_details":{"output_tokens_details":{"cache_creation":{'
    b'"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"cache_creation_input_tokens":0,'
    b'"cache_read_input_tokens":0,"input_tokens":,"output_tokens":,"server_tool_use":{"web_search_requests":0},'
    b'"service_tier":"standard","service_tier":"default","stop_reason":"tool_use","stop_reason":"end_turn",'
    b'"stop_sequence":null,"stop_details":null,"type":"message","role":"assistant","content":[],"object":"response",'
    b'"object":"chat.completion","created":17,"model":"claude-"model":"gpt-"system_fingerprint":"fp_'
    b'"choices":[{"index":0,"message":{"role":"assistant","refusal":null,"annotations":[]},"logprobs":null,'
    b'"finish_reason":"tool_calls"}],"finish_reason":"stop"}],"id":"chatcmpl-"id":"resp_"id":"msg_01","status":"completed"'
    b'"usage":{["unattributed",["elided",["generic",["documents",["audio",["images",["output_schema",["text",'
    b'["provider_overhead",["tool_results",["tool_calls",["reasoning",["assistant",["user",["system_injection",'
    b'["tool_schemas",["system","counted"],"reported"],"estimated"],0,0,0,null,'
    b'{"input":[["system","output":[["text","request_headers":[["response_headers":[["usage_raw":{"rest":[["id",'
    b'{"markers":[["messages",["system",["tools",[],"cache_control",{"type":"ephemeral"}],"ttl":"1h","ttl":"5m",'
    b'"volatile":[["forms":[["messages","item"],"string"],'
)

_TEXTS = (
    b" about into up out how what which there we they your our if or as by at on from with this that it is are be "
    b"for a in and of to the has not can will have all no one user file error line code test name path list set get "
    b"add new data text message string number value function class result output input request response content "
    b"options config token # ## ### - **`: \\n\\n1. 2. 3. ```python\\n```\\n| --- | "
    b"https://www..com/.org/github.com/ .py .js .ts .json .md src/ tests/ /home/ Usage: Error: Exit code "
    b'1\\nTraceback (most recent call last):\\n  File \\"/\\", line , in <module>\\nconst let var function => { '
    b"await undefined; null; true, false, === && || this. .length .map( .filter( console.log( export default "
    b"};\\n}\\n\\nimport from import os\\n\\n\\nclass (:\\n    def __init__(self, ) -> None:\\n        self. = \\n   "
    b"     if not in None:\\n            return raise for in range(len(str int dict async with except try: assert "
    b'print("$schema":"http://json-schema.org/draft-07/schema#","additionalProperties":false,"default":null,'
    b'"anyOf":[{"type":"null"}],"enum":["items":{"type":"string"},"type":"array","type":"integer","type":"number",'
    b'"type":"boolean","minimum":0,"maximum":,"format":"title":"description":"The "description":"Whether '
    b'"required":["type":"object",{"type":"function","function":{"name":"","description":"",'
    b'"parameters":{"type":"object","properties":{},"required":[]},"strict":true}}{"name":"","description":"",'
    b'"input_schema":{"type":"object","properties":{"query":{"type":"string",'
    b'"description":"{"functionCall":{"name":"","args":{"{"functionResponse":{"name":"",'
    b'"response":{"result":"{"inlineData":{"mimeType":"image/png","data":"{"type":"image_url",'
    b'"image_url":{"url":"data:image/png;base64,","detail":"auto"}}{"type":"image","source":{"type":"base64",'
    b'"media_type":"image/png","data":"{"type":"thinking","thinking":"","signature":"E{"type":"reasoning","id":"rs_",'
    b'"summary":[],"encrypted_content":"gAAAA{"type":"function_call","id":"fc_","call_id":"call_","name":"",'
    b'"arguments":"{\\"","status":"completed"}{"type":"function_call_output","call_id":"call_",'
    b'"output":"{"role":"assistant","content":null,"tool_calls":[{"id":"call_","type":"function",'
    b'"function":{"name":"","arguments":"{\\"path\\":\\"{"role":"tool","tool_call_id":"call_",'
    b'"content":"{"role":"system","content":"{"role":"assistant","content":[{"role":"user",'
    b'"content":["cache_control":{"type":"ephemeral"}}{"type":"input_text","text":"{"type":"output_text",'
    b'"annotations":[],"text":"{"type":"tool_use","id":"toolu_01","name":"","input":{"command":"","file_path":"",'
    b'"pattern":"","path":"{"type":"tool_result","tool_use_id":"toolu_01","is_error":true,"content":[{"type":"text",'
    b'"text":"{"text":"{"type":"text","text":"'
)
_SMALLEST = 16
"""Bytes below which nothing is gained: what stands around the compressed takes ten."""


def pack(data: bytes) -> bytes:
    """A content as it is stored: compressed where that makes it smaller."""
    if len(data) <= _SMALLEST:
        return data
    compressor = zlib.compressobj(6, zdict=_TEXTS)
    packed = compressor.compress(data) + compressor.flush()
    return packed if len(packed) < len(data) else data


def unpack(stored: bytes, size: int) -> bytes:
    """The inverse of `pack`; `size` is the content's own size, which tells whether it is compressed.

    Contents that an earlier version compressed without the dictionary say so in their first bytes (RFC 1950, FDICT).
    Raises `zlib.error` for what is damaged.
    """
    if len(stored) == size:
        return bytes(stored)
    decompressor = zlib.decompressobj(zdict=_TEXTS)
    data = decompressor.decompress(stored)
    if not decompressor.eof:
        raise zlib.error("the end is missing")
    return data


def squeeze(document: Json) -> bytes:
    """A small JSON document, compressed."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, zdict=_WORDS)
    return compressor.compress(canonical(document)) + compressor.flush()


def unsqueeze(stored: bytes) -> Json:
    """The inverse of `squeeze`."""
    return parse(zlib.decompressobj(-zlib.MAX_WBITS, zdict=_WORDS).decompress(stored))
