"""Whether a connection would lead back to us, by whatever name: one that a page's owner makes to lead here, too."""

import asyncio
import socket
from collections.abc import Collection

from llmprof_addon.capture.guard import is_loopback


async def leads_to_us(host: str, port: int, listening: Collection[int]) -> bool:
    """Whether this address is one of our listeners. Names are looked up only for their ports, so almost never."""
    if port not in listening:
        return False
    if is_loopback(host):
        return True
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:  # leads nowhere, as the connection will tell
        return False
    return any(is_of_this_machine(family, str(address[0])) for family, _, _, _, address in found)


def is_of_this_machine(family: int, address: str) -> bool:
    """Whether one of our interfaces has this address: only those can be bound to."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
