"""tuspy as it is, driven from the command line:

    python upload.py OPTIONS FILE [BYTES...]

OPTIONS is JSON: the endpoint, headers, metadata, and what the uploader takes. Every line
that it writes is an event: `at BYTES` when so many of the BYTES named have gone out,
after which it stands still until it reads a line; `done ADDRESS`.
"""

import json
import sys

from tusclient.client import TusClient

options = json.loads(sys.argv[1])
stops = [int(stop) for stop in sys.argv[3:]]
client = TusClient(options.pop("endpoint"), headers=options.pop("headers"))
uploader = client.uploader(sys.argv[2], retries=600, retry_delay=0.1, **options)
size = uploader.get_file_size()
while uploader.offset < size:
    uploader.upload_chunk()
    if stops and uploader.offset >= stops[0]:
        print("at", stops.pop(0), flush=True)
        sys.stdin.readline()
print("done", uploader.url, flush=True)
