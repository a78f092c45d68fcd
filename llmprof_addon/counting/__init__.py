"""Tokens of parts and framings: exact for OpenAI text, estimated by measured coefficients elsewhere."""
