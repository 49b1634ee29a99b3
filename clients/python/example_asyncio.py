"""As example.py, with asyncio: watches a conference and prints the number of participants.

Usage: example_asyncio.py [CONFERENCE] [ADDRESS]
"""

import asyncio
import os
import sys

from audian_conference import AsyncClient

conference = sys.argv[1] if len(sys.argv) > 1 else "conf_demo"
target = sys.argv[2] if len(sys.argv) > 2 else os.environ.get("GATEWAY_ADDR", "127.0.0.1:9090")


async def main() -> None:
    """Watches until the conference ends."""
    async with AsyncClient(target, credential=os.environ.get("GATEWAY_KEY")) as client:
        async for state in client.watch(conference):
            fresh = "fresh" if state.fresh else state.stale_reason
            print(state.kind.value, len(state.roster), "participants,", fresh)


asyncio.run(main())
