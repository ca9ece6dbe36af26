import sys
import time

import boto3
from botocore.config import Config

endpoint, bucket, half = sys.argv[1:]
settings = Config(
    s3={"addressing_style": "path"}, retries={"max_attempts": 1}, read_timeout=600
)
client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1", config=settings)
client.list_buckets()
for after in ("", half):
    begun = time.perf_counter()
    answer = client.list_objects_v2(Bucket=bucket, MaxKeys=1000, StartAfter=after)
    print(time.perf_counter() - begun)
    assert answer["KeyCount"] == 1000, answer["KeyCount"]
