"""How applications are pointed at a proxy: the lines to paste, the same wherever they are said."""

import shlex
from pathlib import Path


def lines(*, host: str, reverse_port: int | str, forward_port: int | str, ca_dir: Path) -> str:
    """Both ways, as shell commands indented under what they are for."""
    reverse = f"http://{host}:{reverse_port}"
    ca = shlex.quote(str(ca_dir / "mitmproxy-ca-cert.pem"))
    bundle = shlex.quote(str(ca_dir / "bundle.pem"))
    return f"""\
Reverse (base URL), for applications that let you set one:
  export OPENAI_BASE_URL={reverse}/v1
  export ANTHROPIC_BASE_URL={reverse}
  {reverse}/groq/v1 and so on for every name of `llmprof providers`

Forward (proxy), for applications as they are:
  export HTTPS_PROXY=http://{host}:{forward_port}
  export SSL_CERT_FILE={bundle}
  export REQUESTS_CA_BUNDLE={bundle}
  export NODE_EXTRA_CA_CERTS={ca}"""
