"""Cloudflare's client of PyPI, as it is:

    python -c THIS API ACCOUNT TOKEN
"""

import base64
import json
import sys

import cloudflare
from cloudflare import Cloudflare

api, account, token = sys.argv[1:]
# Its models are made from the published description of the API, and it keeps to them.
client = Cloudflare(
    api_token=token, base_url=api, max_retries=0, _strict_response_validation=True
)
said = {}

said["token"] = client.user.tokens.verify().status


def picture():
    return client.images.v1.create(
        account_id=account,
        id="file/pypi",
        file=("a.png", b"\7" * 1000, "image/png"),
        metadata=json.dumps({"by": "pypi"}),
    )


said["made"] = picture().id
try:
    picture()
except cloudflare.APIStatusError as error:
    said["again"] = error.response.json()["errors"][0]["code"]
got = client.images.v1.get("file/pypi", account_id=account)
said["got"] = {"id": got.id, "filename": got.filename, "by": got.meta["by"]}
page = client.images.v2.list(account_id=account, per_page=10)
said["listed"] = [image.id for image in page.images]
said["count"] = int(client.images.v1.stats.get(account_id=account).count.current)
client.images.v1.delete("file/pypi", account_id=account)
try:
    client.images.v1.get("file/pypi", account_id=account)
except cloudflare.APIStatusError as error:
    said["gone"] = error.status_code

answer = client.stream.with_raw_response.create(
    account_id=account,
    tus_resumable="1.0.0",
    upload_length=1000,
    upload_metadata="name " + base64.b64encode(b"pypi").decode(),
)
uid = answer.headers["stream-media-id"]
films = client.stream.list(account_id=account).result
said["films"] = [
    {"name": film.meta["name"], "state": film.status.state, "size": int(film.size)}
    for film in films
]
said["film"] = client.stream.get(uid, account_id=account).meta["name"]
client.stream.delete(uid, account_id=account)
said["films_after"] = [film.uid for film in client.stream.list(account_id=account).result]
print(json.dumps(said))
