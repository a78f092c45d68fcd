"""Usage and model -> exact cost: rates by date, tier and cache split, then spread over the leaves of the prompt."""
