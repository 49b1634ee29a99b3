import asyncio
import sys

from interop import program_asyncio, program_sync

if "--asyncio" in sys.argv[1:]:
    asyncio.run(program_asyncio.main())
else:
    program_sync.main()
