"""A client of boto3, with its default settings, and how its answers are looked at.

ENDPOINT, KEY and SECRET say where it asks and as whom.
"""

import os

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

ENDPOINT = os.environ["ENDPOINT"]
BUCKET = "files"


def client(**config):
    return boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=os.environ["KEY"],
        aws_secret_access_key=os.environ["SECRET"],
        config=Config(retries={"total_max_attempts": 1}, **config),
    )


s3 = client()


def fails(code, status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except ClientError as error:
        found = (error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"])
        assert found == (code, status), (found, (code, status))
        assert error.response["ResponseMetadata"]["RequestId"], "every answer has its id"
        return error
    raise AssertionError(f"{code} was expected")


def get(key, **kwargs):
    return s3.get_object(Bucket=BUCKET, Key=key, **kwargs)["Body"].read()
