"""What the agents are told to run: something that prints, and asks a host that is no provider's."""

OTHER_HOST = "tick.example"
COMMAND = f"printf %s $((6 * 7)); curl -sS --max-time 5 https://{OTHER_HOST}/"
