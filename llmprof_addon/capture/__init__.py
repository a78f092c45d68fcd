"""The only room that imports mitmproxy: hooks, routing, tee, redaction, master."""
