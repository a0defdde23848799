"""An S3 server of its own on loopback, until its standard input is closed: s3.py PORT [keys]

moto, with a bucket `city`. Prints one line when it is ready: a folder with `keys`: the name and the secret of a key that may do
all, a line each. With `keys` on its command line it looks at the keys of whoever asks; a listing it then refuses to all, for it
encodes a query otherwise than Amazon where it computes the signature.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import boto3
from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.server import ThreadedMotoServer

port = int(sys.argv[1])
settings.INITIAL_NO_AUTH_ACTION_COUNT = float("inf")
server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
server.start()


def client(service):
    return boto3.client(
        service,
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="setup",
        aws_secret_access_key="setup",
    )


directory = Path(tempfile.mkdtemp())
iam, s3 = client("iam"), client("s3")
iam.create_user(UserName="owner")
statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
policy = {"Version": "2012-10-17", "Statement": [statement]}
iam.put_user_policy(UserName="owner", PolicyName="all", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="owner")["AccessKey"]
(directory / "keys").write_text(f"{key['AccessKeyId']}\n{key['SecretAccessKey']}\n")
s3.create_bucket(Bucket="city")
if "keys" in sys.argv:
    ActionAuthenticatorMixin.request_count = 0
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0.0
print(directory, flush=True)
# Whoever started this holds the other end: it is closed when that ends, however it ends.
sys.stdin.read()
shutil.rmtree(directory, ignore_errors=True)
os._exit(0)
