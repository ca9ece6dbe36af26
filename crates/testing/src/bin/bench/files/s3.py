import io
import os
import sys
import time

import boto3
from botocore.config import Config

endpoint, bucket, what, length, count = sys.argv[1:]
length, count = int(length), int(count)
settings = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1})
client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=settings)
if bucket not in [known["Name"] for known in client.list_buckets()["Buckets"]]:
    client.create_bucket(Bucket=bucket)
body = os.urandom(length)


def key(number):
    return f"made/{length}-{number}"


def put(number):
    if length > 8 << 20:
        client.upload_fileobj(io.BytesIO(body), bucket, key(number))
    else:
        client.put_object(Bucket=bucket, Key=key(number), Body=body)


def get(number):
    answer = client.get_object(Bucket=bucket, Key=key(number))["Body"]
    left = length
    while part := answer.read(1 << 20):
        left -= len(part)
    assert left == 0


begun = time.perf_counter()
for number in range(count):
    put(number) if what == "put" else get(number % 2 if length > 8 << 20 else number)
print(time.perf_counter() - begun)
