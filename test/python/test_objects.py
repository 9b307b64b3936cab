"""Buckets and objects with boto3: uploads, URLs, lists, events, code of functions."""

import hashlib
import json
import os
import subprocess
import urllib.error
import urllib.request

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION, ROLE, eventually, zipped

MIB = 1 << 20


@pytest.fixture
def s3(weir):
    return weir.client("s3", retries=1)


@pytest.fixture
def bucket(s3, request):
    """An empty bucket, named for the test, that is emptied and removed afterwards."""
    name = request.node.name.replace("_", "-").replace("[", "-").replace("]", "").lower()[:63].strip("-")
    s3.create_bucket(Bucket=name)
    yield name
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        keys = [{"Key": o["Key"]} for o in page.get("Contents", [])]
        if keys:
            s3.delete_objects(Bucket=name, Delete={"Objects": keys})
    s3.delete_bucket(Bucket=name)


def refused(call, **arguments):
    """Calls and returns code, status and error of the refusal."""
    with pytest.raises(ClientError) as info:
        call(**arguments)
    error = info.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]


KEYS = ["plain", "a b@c", "dir/", "dir//x", "../up", "é/ü+%20", "?query#hash", "~tilde*'()!", "a" * 1024]


def test_any_key(s3, bucket):
    for key in KEYS:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode(), ContentType="text/plain", Metadata={"who": "me"})
    for key in KEYS:
        got = s3.get_object(Bucket=bucket, Key=key)
        assert got["Body"].read() == key.encode()
        assert got["ETag"] == f'"{hashlib.md5(key.encode()).hexdigest()}"'
        assert (got["ContentType"], got["Metadata"]) == ("text/plain", {"who": "me"})
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == sorted(KEYS, key=lambda k: k.encode())
    assert refused(s3.get_object, Bucket=bucket, Key="absent")[:2] == ("NoSuchKey", 404)
    assert refused(s3.get_object, Bucket="absent", Key="k")[:2] == ("NoSuchBucket", 404)


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_checksums(s3, bucket, algorithm):
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 100_000, ChecksumAlgorithm=algorithm)
    member = f"Checksum{algorithm}"
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")[member] == put[member]
    # The client compares it with the bytes.
    assert len(s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["Body"].read()) == 100_000
    wrong = {member: put[member]}
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"other", **wrong)[0] == "BadDigest"
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 100_000


def test_upload_in_parts(weir, s3, bucket, tmp_path):
    data = os.urandom(21 * MIB + 17)
    (tmp_path / "in").write_bytes(data)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    s3.upload_file(str(tmp_path / "in"), bucket, "big", Config=config, ExtraArgs={"Metadata": {"a": "b"}, "ContentType": "x/y"})
    parts = [data[i:i + 5 * MIB] for i in range(0, len(data), 5 * MIB)]
    etag = hashlib.md5(b"".join(hashlib.md5(p).digest() for p in parts)).hexdigest() + f"-{len(parts)}"
    head = s3.head_object(Bucket=bucket, Key="big", ChecksumMode="ENABLED")
    assert head["ETag"] == f'"{etag}"'
    assert (head["ContentLength"], head["Metadata"], head["ContentType"]) == (len(data), {"a": "b"}, "x/y")
    s3.download_file(bucket, "big", str(tmp_path / "out"), Config=config)
    assert (tmp_path / "out").read_bytes() == data
    # A range that spans parts, a part, a suffix.
    read = lambda **how: s3.get_object(Bucket=bucket, Key="big", **how)["Body"].read()
    assert read(Range=f"bytes={5 * MIB - 3}-{10 * MIB + 3}") == data[5 * MIB - 3:10 * MIB + 4]
    assert read(PartNumber=2) == parts[1]
    assert read(Range="bytes=-10") == data[-10:]
    assert refused(s3.get_object, Bucket=bucket, Key="big", Range=f"bytes={len(data)}-")[:2] == ("InvalidRange", 416)
    # A copy is one object again; a copy in parts is not.
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "big"})
    assert s3.head_object(Bucket=bucket, Key="copy")["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'
    s3.copy({"Bucket": bucket, "Key": "big"}, bucket, "copy in parts", Config=config)
    assert s3.head_object(Bucket=bucket, Key="copy in parts")["ETag"] == f'"{etag}"'
    assert read() == data


def test_attributes(s3, bucket):
    everything = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]

    def attributes(**options):
        answer = s3.get_object_attributes(Bucket=bucket, Key="k", **{"ObjectAttributes": everything} | options)
        assert answer.pop("LastModified") and answer.pop("ResponseMetadata")
        return answer

    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"test-body", ChecksumAlgorithm="SHA256")["ETag"].strip('"')
    checksum = {"ChecksumSHA256": "2dhlzFTsYGePGxGQhK15rn+TV9HEUZxkV94zFLf7uoo=", "ChecksumType": "FULL_OBJECT"}
    assert attributes() == {"ETag": etag, "Checksum": checksum, "StorageClass": "STANDARD", "ObjectSize": 9}
    assert attributes(ObjectAttributes=["ObjectSize"]) == {"ObjectSize": 9}
    assert refused(s3.get_object_attributes, Bucket=bucket, Key="absent", ObjectAttributes=["ETag"])[:2] == ("NoSuchKey", 404)
    assert refused(s3.get_object_attributes, Bucket=bucket, Key="k", ObjectAttributes=["Colour"])[0] == "InvalidArgument"

    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ChecksumAlgorithm="SHA1")["UploadId"]
    parts = []
    for n, body in enumerate([b"x" * 5 * MIB, b"y"], 1):
        p = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=n, Body=body, ChecksumAlgorithm="SHA1")
        parts.append({"PartNumber": n, "ETag": p["ETag"], "ChecksumSHA1": p["ChecksumSHA1"]})
    done = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    got = attributes()
    assert got["Checksum"] == {"ChecksumSHA1": done["ChecksumSHA1"].removesuffix("-2"), "ChecksumType": "COMPOSITE"}
    assert got["ObjectParts"] == {
        "TotalPartsCount": 2, "PartNumberMarker": 0, "NextPartNumberMarker": 2, "MaxParts": 1000, "IsTruncated": False,
        "Parts": [
            {"PartNumber": 1, "Size": 5 * MIB, "ChecksumSHA1": parts[0]["ChecksumSHA1"]},
            {"PartNumber": 2, "Size": 1, "ChecksumSHA1": parts[1]["ChecksumSHA1"]},
        ],
    }
    page = attributes(MaxParts=1)["ObjectParts"]
    assert (len(page["Parts"]), page["NextPartNumberMarker"], page["IsTruncated"]) == (1, 1, True)
    assert attributes(MaxParts=1, PartNumberMarker=1)["ObjectParts"]["Parts"][0]["PartNumber"] == 2


def test_metadata_that_is_not_ascii(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Metadata={
        "words": "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=", "ascii": "=?UTF-8?B?YWJj?=", "plain": "a_b = c?",
    })
    want = {"words": "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?=", "ascii": "abc", "plain": "a_b = c?"}
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == want
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    assert s3.get_object(Bucket=bucket, Key="copy")["Metadata"] == want


def test_checksums_of_completions(s3, bucket):
    """A completion tells of parts what the upload was begun with, and nothing else."""
    def begin(**how):
        upload = {"Bucket": bucket, "Key": "k", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="k", **how)["UploadId"]}
        return upload, s3.upload_part(**upload, PartNumber=1, Body=b"abc", ChecksumAlgorithm="CRC32")

    def refused(code, upload, part, **how):
        with pytest.raises(ClientError) as wrong:
            s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": done["ETag"]} | part]}, **how)
        assert wrong.value.response["Error"]["Code"] == code

    upload, done = begin(ChecksumAlgorithm="CRC32")
    refused("BadDigest", upload, {"ChecksumSHA256": "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="})
    refused("InvalidRequest", upload, {"ChecksumCRC32": done["ChecksumCRC32"]}, ChecksumType="FULL_OBJECT")
    upload, done = begin()
    refused("InvalidPart", upload, {"ChecksumCRC32": done["ChecksumCRC32"]})
    refused("InvalidRequest", upload, {}, ChecksumType="COMPOSITE")
    with pytest.raises(ClientError) as wrong:
        s3.list_multipart_uploads(Bucket=bucket, KeyMarker="another", UploadIdMarker=upload["UploadId"])
    assert wrong.value.response["Error"]["Message"] == "Invalid uploadId marker"
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": done["ETag"]}]})
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"abc"


def test_steps_of_an_upload(s3, bucket):
    at = {"Bucket": bucket, "Key": "k"}
    upload = s3.create_multipart_upload(**at)["UploadId"]
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    small = s3.upload_part(**at, UploadId=upload, PartNumber=1, Body=b"small")["ETag"]
    last = s3.upload_part(**at, UploadId=upload, PartNumber=9, Body=b"last")["ETag"]
    assert [(p["PartNumber"], p["Size"]) for p in s3.list_parts(**at, UploadId=upload)["Parts"]] == [(1, 5), (9, 4)]

    def complete(*parts):
        return {**at, "UploadId": upload, "MultipartUpload": {"Parts": [{"PartNumber": n, "ETag": e} for n, e in parts]}}

    done = s3.complete_multipart_upload
    assert refused(done, **complete((1, small), (9, last)))[0] == "EntityTooSmall"
    assert refused(done, **complete((9, last), (1, small)))[0] == "InvalidPartOrder"
    assert refused(done, **complete((9, last), (9, last)))[0] == "InvalidPartOrder"
    assert refused(done, **complete((9, last)), MpuObjectSize=5)[:2] == ("InvalidRequest", 400)
    assert refused(done, **complete((2, last)))[0] == "InvalidPart"
    assert refused(s3.head_object, **at)[1] == 404
    # The last answer may get lost, so that a client completes again.
    assert done(**complete((9, last)))["ETag"] == done(**complete((9, last)))["ETag"]
    assert s3.get_object(**at)["Body"].read() == b"last"
    other = s3.create_multipart_upload(**at)["UploadId"]
    s3.upload_part(**at, UploadId=other, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(**at, UploadId=other)
    assert refused(s3.upload_part, **at, UploadId=other, PartNumber=1, Body=b"x")[:2] == ("NoSuchUpload", 404)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_list_of_1001_keys(s3, bucket):
    for i in range(1001):
        s3.put_object(Bucket=bucket, Key=f"{i % 7}/{i:04}", Body=b"")
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket))
    assert [p["KeyCount"] for p in pages] == [1000, 1]
    keys = [o["Key"] for p in pages for o in p["Contents"]]
    assert keys == sorted(f"{i % 7}/{i:04}" for i in range(1001))
    old = [o["Key"] for p in s3.get_paginator("list_objects").paginate(Bucket=bucket) for o in p["Contents"]]
    assert old == keys
    # Common prefixes count as keys, also over pages.
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 3}))
    assert [p["KeyCount"] for p in pages] == [3, 3, 1]
    assert [c["Prefix"] for p in pages for c in p["CommonPrefixes"]] == [f"{i}/" for i in range(7)]
    pages = list(s3.get_paginator("list_objects").paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 3}))
    assert [c["Prefix"] for p in pages for c in p["CommonPrefixes"]] == [f"{i}/" for i in range(7)]
    some = s3.list_objects_v2(Bucket=bucket, Prefix="3/", StartAfter="3/0500")["Contents"]
    assert [o["Key"] for o in some] == [k for k in keys if k > "3/0500" and k.startswith("3/")]
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys[:1000]], "Quiet": True})
    assert "Deleted" not in deleted
    assert [o["Key"] for o in s3.list_objects_v2(Bucket=bucket)["Contents"]] == keys[1000:]


def fetch(url, **arguments):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, **arguments), timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


@pytest.mark.parametrize("signature", ["s3v4", "s3"])
@pytest.mark.parametrize("style", ["path", "virtual"])
def test_presigned_urls(weir, s3, bucket, signature, style):
    endpoint = weir.endpoint if style == "path" else weir.endpoint.replace("127.0.0.1", "localhost")
    client = weir.session.client("s3", endpoint_url=endpoint, config=Config(signature_version=signature, s3={"addressing_style": style}))
    key = "a b/é+?.txt"

    def url(operation, seconds, **more):
        signed = client.generate_presigned_url(operation, {"Bucket": bucket, "Key": key, **more}, seconds)
        if style == "virtual":  # names under localhost are not known to every resolver
            assert f"//{bucket}.localhost:" in signed
            return {"url": signed.replace(f"{bucket}.localhost", "127.0.0.1"), "headers": {"Host": signed.split("/")[2]}}
        return {"url": signed}

    assert fetch(**url("put_object", 60), data=b"by url", method="PUT")[0] == 200
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"by url"
    assert fetch(**url("get_object", 60)) == (200, b"by url")
    if signature == "s3":
        check_expired(fetch(**url("get_object", -5)))
    assert fetch(**url("delete_object", 60), method="DELETE")[0] == 204
    assert fetch(**url("get_object", 60))[0] == 404


def check_expired(answer):
    status, body = answer
    assert status == 403 and b"<Code>AccessDenied</Code><Message>Request has expired</Message>" in body


def test_presigned_url_expires(weir, s3, bucket):
    signed = weir.client("s3", signature_version="s3v4").generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"}, 1)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    eventually(lambda: check_expired(fetch(signed)), 10)
    status, body = fetch(signed.replace("X-Amz-Expires=1", "X-Amz-Expires=x"))
    assert status == 400 and b"<Code>AuthorizationQueryParametersError</Code>" in body
    status, body = fetch(signed.replace("X-Amz-SignedHeaders", "X-Other"))
    assert status == 400 and b"requires the X-Amz-Algorithm, X-Amz-Credential" in body


def test_form_of_a_browser(s3, bucket):
    post = s3.generate_presigned_post(bucket, "uploads/${filename}", Conditions=[["content-length-range", 1, 10]])

    def send(content):
        edge = "edge"
        lines = [f'--{edge}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in post["fields"].items()]
        lines.append(f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\n{content}\r\n--{edge}--\r\n')
        return fetch(post["url"], data="".join(lines).encode(), headers={"Content-Type": f"multipart/form-data; boundary={edge}"})

    assert send("content")[0] == 204
    assert s3.get_object(Bucket=bucket, Key="uploads/f.txt")["Body"].read() == b"content"
    status, body = send("too much content")
    assert status == 400 and b"<Code>EntityTooLarge</Code>" in body


def test_conditions(s3, bucket):
    at = {"Bucket": bucket, "Key": "k"}
    etag = s3.put_object(**at, Body=b"1", IfNoneMatch="*")["ETag"]
    assert refused(s3.put_object, **at, Body=b"2", IfNoneMatch="*")[:2] == ("PreconditionFailed", 412)
    assert refused(s3.get_object, **at, IfNoneMatch=etag)[1] == 304
    assert refused(s3.get_object, **at, IfMatch='"other"')[:2] == ("PreconditionFailed", 412)
    assert s3.get_object(**at, IfMatch=etag)["Body"].read() == b"1"
    s3.put_object(**at, Body=b"2", IfMatch=etag)
    assert refused(s3.put_object, **at, Body=b"3", IfMatch=etag)[:2] == ("PreconditionFailed", 412)
    assert s3.get_object(**at)["Body"].read() == b"2"


def test_unsigned_reads_and_the_root(weir, s3, bucket):
    s3.put_object(Bucket=bucket, Key="public/page", Body=b"hello")
    assert fetch(f"{weir.endpoint}/{bucket}/public/page") == (200, b"hello")
    assert fetch(f"{weir.endpoint}/{bucket}?list-type=2")[0] == 200
    anonymous = boto3.client("s3", endpoint_url=weir.endpoint, region_name=REGION, config=Config(signature_version=UNSIGNED))
    assert anonymous.get_object(Bucket=bucket, Key="public/page")["Body"].read() == b"hello"
    page = urllib.request.urlopen(urllib.request.Request(weir.endpoint + "/", headers={"Accept": "text/html"}), timeout=20)
    assert page.url.endswith("/_weir/console/")
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]


def test_what_is_not_there_is_refused(s3, bucket):
    assert refused(s3.put_bucket_versioning, Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})[:2] == ("NotImplemented", 501)
    assert refused(s3.put_bucket_cors, Bucket=bucket, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]})[0] == "NotImplemented"
    assert refused(s3.put_object, Bucket=bucket, Key="k", Body=b"", ServerSideEncryption="aws:kms")[0] == "NotImplemented"
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket=bucket)[:2] == ("NoSuchLifecycleConfiguration", 404)
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "b"}]
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="x=1&y=2")
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == [{"Key": "x", "Value": "1"}, {"Key": "y", "Value": "2"}]
    assert refused(s3.delete_bucket, Bucket=bucket)[:2] == ("BucketNotEmpty", 409)


def test_access_control_lists(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"", ACL="bucket-owner-full-control")
    assert refused(s3.put_object, Bucket=bucket, Key="open", Body=b"", ACL="public-read")[:2] == ("AccessControlListNotSupported", 400)
    assert refused(s3.put_object_acl, Bucket=bucket, Key="k", GrantRead="id=1")[0] == "AccessControlListNotSupported"
    assert refused(s3.create_bucket, Bucket="for-everybody", ACL="public-read")[:2] == ("InvalidBucketAclWithObjectOwnership", 400)
    assert [g["Permission"] for g in s3.get_object_acl(Bucket=bucket, Key="k")["Grants"]] == ["FULL_CONTROL"]
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert rules == [{"ObjectOwnership": "BucketOwnerEnforced"}]


@pytest.mark.parametrize("operation, arguments", [
    ("put_object", {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}),
    ("get_object", {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32}),
    ("put_object", {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "2100-01-01"}),
    ("put_object", {"WebsiteRedirectLocation": "/there"}),
    ("put_object", {"WriteOffsetBytes": 1}),
    ("put_object", {"SSEKMSEncryptionContext": "e30="}),
    ("delete_object", {"IfMatchSize": 1}),
    ("delete_object", {"MFA": "device 1"}),
    ("get_object_torrent", {}),
    ("get_object_legal_hold", {}),
    ("restore_object", {}),
])
def test_what_would_be_ignored_is_refused(s3, bucket, operation, arguments):
    s3.put_object(Bucket=bucket, Key="k", Body=b"as it was")
    assert refused(getattr(s3, operation), Bucket=bucket, Key="k", **arguments)[:2] == ("NotImplemented", 501)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"as it was"


# Keeps each event in a table, by its key and name.
COLLECT = """
import boto3, json

table = boto3.resource("dynamodb").Table("objects-seen")

def handler(event, context):
    for record in event["Records"]:
        table.put_item(Item={"key": record["s3"]["object"]["key"], "name": record["eventName"], "record": json.dumps(record)})
"""


@pytest.fixture(scope="module")
def collector(weir):
    """The ARN of a function that collects events, taken from a bucket."""
    s3, functions = weir.client("s3"), weir.client("lambda")
    weir.client("dynamodb").create_table(
        TableName="objects-seen", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("key", "name")],
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}, {"AttributeName": "name", "KeyType": "RANGE"}])
    s3.create_bucket(Bucket="code")
    s3.put_object(Bucket="code", Key="collect.zip", Body=zipped({"f.py": COLLECT}))
    return functions.create_function(
        FunctionName="collect", Role=ROLE, Runtime="python3.12", Handler="f.handler", Timeout=20,
        Code={"S3Bucket": "code", "S3Key": "collect.zip"})["FunctionArn"]


def seen(weir):
    items = weir.resource("dynamodb").Table("objects-seen").scan(ConsistentRead=True)["Items"]
    return {(item["key"], item["name"]): json.loads(item["record"]) for item in items}


def test_events_for_a_function(weir, s3, bucket, collector):
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [{
        "Id": "mine", "LambdaFunctionArn": collector, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "in/"}, {"Name": "suffix", "Value": ".txt"}]}}}]})
    read = s3.get_bucket_notification_configuration(Bucket=bucket)["LambdaFunctionConfigurations"]
    assert (read[0]["Id"], read[0]["LambdaFunctionArn"]) == ("mine", collector)
    s3.put_object(Bucket=bucket, Key="out/a.txt", Body=b"")
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body=b"")
    put = s3.put_object(Bucket=bucket, Key="in/a b@c.txt", Body=b"abc")
    s3.copy_object(Bucket=bucket, Key="in/copy.txt", CopySource={"Bucket": bucket, "Key": "in/a b@c.txt"})
    at = {"Bucket": bucket, "Key": "in/parts.txt"}
    upload = s3.create_multipart_upload(**at)["UploadId"]
    part = s3.upload_part(**at, UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    s3.delete_object(Bucket=bucket, Key="in/copy.txt")

    def check():
        assert set(seen(weir)) == {
            ("in/a+b%40c.txt", "ObjectCreated:Put"), ("in/copy.txt", "ObjectCreated:Copy"),
            ("in/parts.txt", "ObjectCreated:CompleteMultipartUpload"), ("in/copy.txt", "ObjectRemoved:Delete")}

    eventually(check)
    record = seen(weir)["in/a+b%40c.txt", "ObjectCreated:Put"]
    assert (record["eventVersion"], record["eventSource"], record["awsRegion"]) == ("2.1", "aws:s3", REGION)
    assert record["responseElements"]["x-amz-request-id"] == put["ResponseMetadata"]["RequestId"]
    assert record["s3"]["configurationId"] == "mine"
    assert record["s3"]["bucket"]["name"] == bucket and record["s3"]["bucket"]["arn"] == f"arn:aws:s3:::{bucket}"
    thing = record["s3"]["object"]
    assert (thing["size"], thing["eTag"]) == (3, put["ETag"].strip('"'))
    made, removed = seen(weir)["in/copy.txt", "ObjectCreated:Copy"], seen(weir)["in/copy.txt", "ObjectRemoved:Delete"]
    assert made["s3"]["object"]["sequencer"] < removed["s3"]["object"]["sequencer"]
    assert set(removed["s3"]["object"]) == {"key", "sequencer"}


def test_events_for_queues_and_topics(weir, s3, bucket):
    sqs, sns = weir.client("sqs"), weir.client("sns")
    url = sqs.create_queue(QueueName="objects")["QueueUrl"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:objects"
    topic = sns.create_topic(Name="objects")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    configuration = {
        "QueueConfigurations": [{"QueueArn": queue, "Events": ["s3:ObjectCreated:Put"]}],
        "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectRemoved:*"]}],
    }
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
    messages = []

    def bodies(count):
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            messages.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        assert len(messages) == count
        return messages

    tests = eventually(lambda: bodies(2), 20)
    assert [m["Event"] for m in tests if "Event" in m] == ["s3:TestEvent"]
    notice, = [m for m in tests if m.get("Type") == "Notification"]
    assert notice["Subject"] == "Amazon S3 Notification" and json.loads(notice["Message"])["Bucket"] == bucket
    messages.clear()
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="k")
    eventually(lambda: bodies(2), 20)
    records = [json.loads(m["Message"])["Records"][0] if "Message" in m else m["Records"][0] for m in messages]
    assert sorted(r["eventName"] for r in records) == ["ObjectCreated:Put", "ObjectRemoved:Delete"]
    # What is wrong is refused as the service does.
    configuration["QueueConfigurations"][0]["QueueArn"] = f"arn:aws:sqs:{REGION}:{ACCOUNT}:absent"
    code, status, error = refused(s3.put_bucket_notification_configuration, Bucket=bucket, NotificationConfiguration=configuration)
    assert (code, status, error["Message"]) == ("InvalidArgument", 400, "Unable to validate the following destination configurations")
    assert error["ArgumentValue1"] == "The destination queue does not exist"
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_code_from_a_bucket(weir, s3, collector):
    functions = weir.client("lambda")
    s3.put_object(Bucket="code", Key="v2.zip", Body=zipped({"f.py": "def handler(event, context):\n    return 2\n"}))
    functions.create_function(FunctionName="from-bucket", Role=ROLE, Runtime="python3.12", Handler="f.handler",
                              Code={"S3Bucket": "code", "S3Key": "collect.zip"})
    functions.update_function_code(FunctionName="from-bucket", S3Bucket="code", S3Key="v2.zip")
    assert functions.invoke(FunctionName="from-bucket")["Payload"].read() == b"2"
    code, status, error = refused(functions.update_function_code, FunctionName="from-bucket", S3Bucket="code", S3Key="absent")
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert error["Message"] == "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist."
    # Only what a request itself carries is bounded by its size as a zip.
    large = zipped({"f.py": "def handler(event, context):\n    return 3\n", "data": os.urandom(51 * MIB)})
    s3.put_object(Bucket="code", Key="large.zip", Body=large)
    functions.update_function_code(FunctionName="from-bucket", S3Bucket="code", S3Key="large.zip")
    assert functions.invoke(FunctionName="from-bucket")["Payload"].read() == b"3"
    s3.put_object(Bucket="code", Key="huge.zip", Body=b"-" * (250 * MIB + 1))
    code, status, error = refused(functions.update_function_code, FunctionName="from-bucket", S3Bucket="code", S3Key="huge.zip")
    assert (code, error["Message"]) == ("InvalidParameterValueException", "Unzipped size must be smaller than 262144000 bytes")


def test_reports_of_failures(weir, s3, bucket):
    functions = weir.client("lambda")
    functions.create_function(FunctionName="failing", Role=ROLE, Runtime="python3.12", Handler="f.handler",
                              Code={"ZipFile": zipped({"f.py": "def handler(event, context):\n    raise ValueError(event)\n"})})
    functions.put_function_event_invoke_config(
        FunctionName="failing", MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": f"arn:aws:s3:::{bucket}"}})
    functions.invoke(FunctionName="failing", InvocationType="Event", Payload=b'"why"')

    def report():
        found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        assert len(found) == 1
        return json.load(s3.get_object(Bucket=bucket, Key=found[0]["Key"])["Body"])

    record = eventually(report)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestPayload"] == "why" and record["responsePayload"]["errorType"] == "ValueError"


TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  In:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: deployed-in
  Code:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref In
      PolicyDocument: {Version: "2012-10-17", Statement: []}
  Collect:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Handler: f.handler
      CodeUri: s3://code/collect.zip
      Events:
        Arrived:
          Type: S3
          Properties:
            Bucket: !Ref In
            Events: [s3:ObjectCreated:*]
            Filter: {S3Key: {Rules: [{Name: prefix, Value: stack/}]}}
"""


def test_template(binary, weir, s3, collector, tmp_path):
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    def run(*args):
        subprocess.run([binary, *args, "--endpoint", weir.endpoint], cwd=tmp_path, check=True, timeout=120)

    run("deploy", "template.yaml", "--stack-name", "objects")
    assert json.loads(s3.get_bucket_policy(Bucket="deployed-in")["Policy"])["Version"] == "2012-10-17"
    s3.put_object(Bucket="deployed-in", Key="stack/x", Body=b"")

    def check():
        assert ("stack/x", "ObjectCreated:Put") in seen(weir)

    eventually(check)
    s3.delete_object(Bucket="deployed-in", Key="stack/x")
    run("destroy", "objects")
    assert refused(s3.head_bucket, Bucket="deployed-in")[1] == 404


def test_objects_outlive_the_server(start):
    server = start()
    s3 = server.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="k", Body=b"v", Metadata={"a": "b"})
    upload = s3.create_multipart_upload(Bucket="kept", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="kept", Key="parts", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    server.process.kill()
    server.process.wait()
    again = start(directory=server.directory)
    s3 = again.client("s3")
    got = s3.get_object(Bucket="kept", Key="k")
    assert (got["Body"].read(), got["Metadata"]) == (b"v", {"a": "b"})
    s3.complete_multipart_upload(Bucket="kept", Key="parts", UploadId=upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part}]})
    assert s3.get_object(Bucket="kept", Key="parts")["Body"].read() == b"part"
    again.stop()
