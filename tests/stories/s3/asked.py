"""Asks with boto3, for a story, one thing after the other: to start Python and to make a
client takes much longer than a question.

ENDPOINT says where, and CONFIG what clients are told beside it, as JSON. Each line that comes
in is JSON: the key to ask with, its secret, and a script, which finds a client of that key as
`s3` and `ClientError`. What the script prints goes out as a line of JSON when it has ended; a
script that fails ends this one, as Python does it.
"""

import contextlib
import io
import json
import os
import sys

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

clients = {}


def client(key, secret):
    if key not in clients:
        clients[key] = boto3.client(
            "s3",
            endpoint_url=os.environ["ENDPOINT"],
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(**json.loads(os.environ["CONFIG"])),
        )
    return clients[key]


for line in sys.stdin:
    told = json.loads(line)
    # A file too, as Python shows from there in which line a script failed.
    with open("told.py", "w", encoding="utf-8") as file:
        file.write(told["script"])
    script = compile(told["script"], "told.py", "exec")
    names = {"s3": client(told["key"], told["secret"]), "ClientError": ClientError}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(script, names)
    print(json.dumps(printed.getvalue()), flush=True)
