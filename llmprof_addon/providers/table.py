"""Who serves which dialect where: one row of data per provider. `registry` holds the rules that read it.

Standard library only, because the proxy loads it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass

CHAT, RESPONSES, MESSAGES = "openai.chat", "openai.responses", "anthropic.messages"
COMPLETIONS, EMBEDDINGS, GEMINI = "openai.completions", "openai.embeddings", "gemini.generate_content"
OLLAMA_CHAT, OLLAMA_GENERATE, MISTRAL = "ollama.chat", "ollama.generate", "mistral.chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider, or one kind of server."""

    name: str
    hosts: tuple[str, ...]
    """Exact names, `*.suffix`, `*-suffix`, or `name:port` for servers that only their port tells apart."""
    base_url: str | None = None
    """What stands in for `/<path prefix>` of a reverse-mode path; `None` where each customer has their own host."""
    path_prefixes: tuple[str, ...] = ()
    """First segments of reverse-mode paths that lead here, beside the name itself: `/groq/v1/chat/completions`."""
    apis: tuple[str, ...] = (CHAT, RESPONSES)
    paths: tuple[tuple[str, str], ...] = ()
    """(path pattern, api) where this provider's paths differ from the usual shapes."""
    auth_headers: tuple[str, ...] = ("authorization",)
    env_key: str | None = None
    """Environment variable in which clients keep the key."""
    price_provider: str | None = None
    """Provider id of genai-prices; `None` where it knows no price."""


PROVIDERS: tuple[Provider, ...] = (
    Provider(
        name="openai",
        hosts=("api.openai.com", "*.api.openai.com"),
        base_url="https://api.openai.com",
        env_key="OPENAI_API_KEY",
        price_provider="openai",
    ),
    Provider(
        name="anthropic",
        hosts=("api.anthropic.com",),
        base_url="https://api.anthropic.com",
        apis=(MESSAGES, CHAT),
        auth_headers=("x-api-key", "authorization"),
        env_key="ANTHROPIC_API_KEY",
        price_provider="anthropic",
    ),
    Provider(
        name="azure.openai",
        hosts=("*.openai.azure.com", "*.cognitiveservices.azure.com", "*.services.ai.azure.com"),
        path_prefixes=("azure",),
        apis=(CHAT, RESPONSES, MESSAGES),
        auth_headers=("api-key", "authorization", "x-api-key"),
        env_key="AZURE_OPENAI_API_KEY",
        price_provider="azure",
    ),
    Provider(
        name="chatgpt",
        hosts=("chatgpt.com",),
        base_url="https://chatgpt.com",
        apis=(RESPONSES,),
        auth_headers=("authorization", "chatgpt-account-id", "cookie"),
        price_provider="openai",
    ),
    Provider(
        name="gcp.vertex_ai",
        hosts=("aiplatform.googleapis.com", "*-aiplatform.googleapis.com", "aiplatform.*.rep.googleapis.com"),
        base_url="https://aiplatform.googleapis.com",
        path_prefixes=("vertex",),
        apis=(MESSAGES, CHAT),
        price_provider="google",
    ),
    Provider(
        name="gcp.gemini",
        hosts=("generativelanguage.googleapis.com",),
        base_url="https://generativelanguage.googleapis.com",
        path_prefixes=("gemini",),
        apis=(CHAT,),
        auth_headers=("authorization", "x-goog-api-key"),
        env_key="GEMINI_API_KEY",
        price_provider="google",
    ),
    Provider(
        name="openrouter",
        hosts=("openrouter.ai", "*.openrouter.ai"),
        base_url="https://openrouter.ai/api",
        apis=(CHAT, RESPONSES, MESSAGES),
        env_key="OPENROUTER_API_KEY",
        price_provider="openrouter",
    ),
    Provider(
        name="groq",
        hosts=("api.groq.com",),
        base_url="https://api.groq.com/openai",
        env_key="GROQ_API_KEY",
        price_provider="groq",
    ),
    Provider(
        name="together",
        hosts=("api.together.xyz", "api.together.ai"),
        base_url="https://api.together.xyz",
        env_key="TOGETHER_API_KEY",
        price_provider="together",
    ),
    Provider(
        name="deepseek",
        hosts=("api.deepseek.com",),
        base_url="https://api.deepseek.com",
        apis=(CHAT, RESPONSES, MESSAGES),
        auth_headers=("authorization", "x-api-key"),
        env_key="DEEPSEEK_API_KEY",
        price_provider="deepseek",
    ),
    Provider(
        name="x_ai",
        hosts=("api.x.ai", "*.api.x.ai"),
        base_url="https://api.x.ai",
        path_prefixes=("xai",),
        apis=(CHAT, RESPONSES, MESSAGES),
        env_key="XAI_API_KEY",
        price_provider="x-ai",
    ),
    Provider(
        name="fireworks",
        hosts=("api.fireworks.ai",),
        base_url="https://api.fireworks.ai/inference",
        apis=(CHAT, RESPONSES, MESSAGES),
        env_key="FIREWORKS_API_KEY",
        price_provider="fireworks",
    ),
    Provider(
        name="cerebras",
        hosts=("api.cerebras.ai",),
        base_url="https://api.cerebras.ai",
        env_key="CEREBRAS_API_KEY",
        price_provider="cerebras",
    ),
    Provider(
        name="sambanova",
        hosts=("api.sambanova.ai",),
        base_url="https://api.sambanova.ai",
        env_key="SAMBANOVA_API_KEY",
        price_provider="huggingface_sambanova",
    ),
    Provider(
        name="perplexity",
        hosts=("api.perplexity.ai",),
        base_url="https://api.perplexity.ai",
        env_key="PERPLEXITY_API_KEY",
        price_provider="perplexity",
    ),
    Provider(
        name="huggingface",
        hosts=("router.huggingface.co",),
        base_url="https://router.huggingface.co",
        env_key="HF_TOKEN",
    ),
    Provider(
        name="zai",
        hosts=("api.z.ai",),
        base_url="https://api.z.ai/api",
        apis=(CHAT, MESSAGES),
        auth_headers=("authorization", "x-api-key"),
        env_key="ZAI_API_KEY",
        price_provider="zai",
    ),
    Provider(
        name="zhipuai",
        hosts=("open.bigmodel.cn",),
        base_url="https://open.bigmodel.cn/api",
        apis=(CHAT, MESSAGES),
        auth_headers=("authorization", "x-api-key"),
        env_key="ZHIPUAI_API_KEY",
        price_provider="zhipuai",
    ),
    Provider(
        name="moonshot_ai",
        hosts=("api.moonshot.ai", "api.moonshot.cn", "api.kimi.com"),
        base_url="https://api.moonshot.ai",
        path_prefixes=("moonshot", "kimi"),
        apis=(CHAT, MESSAGES),
        auth_headers=("authorization", "x-api-key"),
        env_key="MOONSHOT_API_KEY",
        price_provider="moonshotai",
    ),
    Provider(
        name="minimax",
        hosts=("api.minimax.io", "api.minimaxi.com", "api.minimaxi.io", "api.minimax.chat"),
        base_url="https://api.minimax.io",
        apis=(MESSAGES, CHAT),
        auth_headers=("authorization", "x-api-key"),
        env_key="MINIMAX_API_KEY",
        price_provider="minimax",
    ),
    Provider(
        name="dashscope",
        hosts=("dashscope.aliyuncs.com", "*.dashscope.aliyuncs.com", "dashscope-intl.aliyuncs.com"),
        base_url="https://dashscope-intl.aliyuncs.com/compatible-mode",
        apis=(CHAT, RESPONSES, MESSAGES),
        auth_headers=("authorization", "x-api-key"),
        env_key="DASHSCOPE_API_KEY",
    ),
    Provider(
        name="nvidia",
        hosts=("integrate.api.nvidia.com",),
        base_url="https://integrate.api.nvidia.com",
        env_key="NVIDIA_API_KEY",
    ),
    Provider(
        name="github.copilot",
        hosts=("api.githubcopilot.com", "*.githubcopilot.com", "copilot-proxy.githubusercontent.com"),
        base_url="https://api.githubcopilot.com",
        path_prefixes=("copilot",),
        apis=(CHAT, RESPONSES, MESSAGES),
        price_provider="github-copilot",
    ),
    Provider(
        name="github.models",
        hosts=("models.github.ai", "models.inference.ai.azure.com"),
        base_url="https://models.github.ai/inference",
        env_key="GITHUB_TOKEN",
        price_provider="openai",
    ),
    Provider(
        name="vercel",
        hosts=("ai-gateway.vercel.sh",),
        base_url="https://ai-gateway.vercel.sh",
        apis=(CHAT, RESPONSES, MESSAGES),
        auth_headers=("authorization", "x-api-key"),
        env_key="AI_GATEWAY_API_KEY",
    ),
    Provider(
        name="cloudflare",
        hosts=("api.cloudflare.com", "gateway.ai.cloudflare.com"),
        base_url="https://api.cloudflare.com",
        apis=(CHAT, RESPONSES, MESSAGES),
        auth_headers=("authorization", "cf-aig-authorization", "x-api-key"),
        env_key="CLOUDFLARE_API_TOKEN",
        price_provider="cloudflare",
    ),
    Provider(
        name="databricks",
        hosts=("*.azuredatabricks.net", "*.cloud.databricks.com", "*.gcp.databricks.com"),
        apis=(CHAT, RESPONSES, MESSAGES),
        paths=((r"/serving-endpoints/[^/]+/invocations", CHAT),),
        env_key="DATABRICKS_TOKEN",
        price_provider="databricks",
    ),
    Provider(
        name="ai21",
        hosts=("api.ai21.com",),
        base_url="https://api.ai21.com/studio",
        apis=(CHAT,),
        env_key="AI21_API_KEY",
    ),
    Provider(
        name="writer",
        hosts=("api.writer.com",),
        base_url="https://api.writer.com",
        apis=(CHAT,),
        paths=((r"/v1/chat", CHAT),),
        env_key="WRITER_API_KEY",
    ),
    Provider(
        name="avian",
        hosts=("api.avian.io",),
        base_url="https://api.avian.io",
        apis=(CHAT,),
        env_key="AVIAN_API_KEY",
        price_provider="avian",
    ),
    Provider(
        name="pydantic.gateway",
        hosts=("gateway.pydantic.dev",),
        base_url="https://gateway.pydantic.dev/proxy",
        apis=(CHAT, RESPONSES, MESSAGES),
        env_key="PYDANTIC_AI_GATEWAY_API_KEY",
    ),
    Provider(
        name="novita",
        hosts=("api.novita.ai",),
        base_url="https://api.novita.ai/openai",
        apis=(CHAT,),
        env_key="NOVITA_API_KEY",
        price_provider="novita",
    ),
    Provider(
        name="deepinfra",
        hosts=("api.deepinfra.com",),
        base_url="https://api.deepinfra.com",
        apis=(CHAT,),
        env_key="DEEPINFRA_API_KEY",
    ),
    Provider(
        name="baseten",
        hosts=("inference.baseten.co",),
        base_url="https://inference.baseten.co",
        apis=(CHAT,),
        env_key="BASETEN_API_KEY",
        price_provider="baseten",
    ),
    Provider(
        name="arcee",
        hosts=("api.arcee.ai",),
        base_url="https://api.arcee.ai",
        apis=(CHAT,),
        env_key="ARCEE_API_KEY",
        price_provider="arcee",
    ),
    Provider(
        name="doubleword",
        hosts=("api.doubleword.ai",),
        base_url="https://api.doubleword.ai",
        env_key="DOUBLEWORD_API_KEY",
        price_provider="doubleword",
    ),
    Provider(
        name="ovhcloud",
        hosts=("oai.endpoints.kepler.ai.cloud.ovh.net",),
        base_url="https://oai.endpoints.kepler.ai.cloud.ovh.net",
        apis=(CHAT,),
        env_key="OVH_AI_ENDPOINTS_ACCESS_TOKEN",
        price_provider="ovhcloud",
    ),
    Provider(name="longcat", hosts=("api.longcat.chat",), base_url="https://api.longcat.chat", apis=(CHAT, MESSAGES)),
    Provider(name="zenmux", hosts=("zenmux.ai",), base_url="https://zenmux.ai/api", apis=(CHAT, RESPONSES, MESSAGES)),
    Provider(
        name="ollama", hosts=("localhost:11434",), base_url="http://127.0.0.1:11434", apis=(CHAT, RESPONSES, MESSAGES)
    ),
    Provider(
        name="lmstudio", hosts=("localhost:1234",), base_url="http://127.0.0.1:1234", apis=(CHAT, RESPONSES, MESSAGES)
    ),
    Provider(
        name="vllm", hosts=("localhost:8000",), base_url="http://127.0.0.1:8000", apis=(CHAT, RESPONSES, MESSAGES)
    ),
    Provider(
        name="llama.cpp",
        hosts=("localhost:8080",),
        base_url="http://127.0.0.1:8080",
        path_prefixes=("llamacpp",),
        apis=(CHAT, RESPONSES, MESSAGES),
    ),
)

APIS: tuple[str, ...] = tuple(dict.fromkeys(api for row in PROVIDERS for api in row.apis))
"""All dialects that a row names."""

LIST_PRICES: Mapping[str, str] = {CHAT: "openai", RESPONSES: "openai", MESSAGES: "anthropic"}
"""Whose list prices hold where no row knows the host: a gateway in front of the dialect's own provider bills its models
under their own names, and names that are not in that list (local models) stay unpriced."""
