"""Counts the records of a batch by key and adds the counts to a table, one
UpdateItem for each key. After each has been acknowledged it tells so, in a line
"key count", to the address in NOTICE."""

import base64
import collections
import json
import os
import socket

import boto3

dynamodb = boto3.client("dynamodb")
host, port = os.environ["NOTICE"].rsplit(":", 1)
notice = socket.create_connection((host, int(port)))


def handler(event, context):
    counts = collections.Counter(
        json.loads(base64.b64decode(record["kinesis"]["data"]))["key"] for record in event["Records"]
    )
    for key, count in counts.items():
        dynamodb.update_item(
            TableName=os.environ["TABLE"],
            Key={"EventName": {"S": key}},
            UpdateExpression="ADD EventCount :n",
            ExpressionAttributeValues={":n": {"N": str(count)}},
        )
        notice.sendall(f"{key} {count}\n".encode())
    return {}  # some local servers wait for a result
