"""The gate: what recorded calls may cost, measured, compared with limits and a baseline, and said. Pure over rows."""
