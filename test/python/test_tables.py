"""DynamoDB as boto3's two interfaces use it: the resource and the client."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from boto3.dynamodb.conditions import Attr, Key
from boto3.dynamodb.types import Binary


@pytest.fixture(scope="module")
def client(weir):
    return weir.client("dynamodb")


@pytest.fixture
def table(weir, request):
    """A table with a hash key and a numeric range key."""
    made = weir.resource("dynamodb").create_table(
        TableName=request.node.name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
        ],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
    )
    made.wait_until_exists()
    yield made
    made.delete()
    made.wait_until_not_exists()


def test_values_of_all_types(table):
    item = {
        "id": "types", "at": 1, "text": "naïve ✓", "empty": "", "yes": True, "nothing": None,
        "number": Decimal("1234567890.1234567890123456789012345678"), "small": Decimal("1E-130"),
        "bytes": Binary(b"\0\1\xff"), "list": [1, "two", [3]], "map": {"a": {"b": [{"c": Decimal("0.5")}]}},
        "strings": {"a", "b"}, "numbers": {1, Decimal("2.5")}, "binaries": {Binary(b"x"), Binary(b"y")},
    }
    table.put_item(Item=item)
    assert table.get_item(Key={"id": "types", "at": 1})["Item"] == item
    assert "Item" not in table.get_item(Key={"id": "types", "at": 2})


def test_updates_and_conditions(table):
    key = {"id": "counter", "at": 0}
    for n in (1, 2, 3):
        answer = table.update_item(
            Key=key, UpdateExpression="ADD #n :one SET #l = list_append(if_not_exists(#l, :none), :n)",
            ExpressionAttributeNames={"#n": "count", "#l": "seen"},
            ExpressionAttributeValues={":one": 1, ":n": [n], ":none": []}, ReturnValues="ALL_NEW",
        )
    assert answer["Attributes"] == key | {"count": 3, "seen": [1, 2, 3]}
    with pytest.raises(table.meta.client.exceptions.ConditionalCheckFailedException) as failed:
        table.put_item(Item=key, ConditionExpression=Attr("id").not_exists())
    assert failed.value.response["Error"]["Message"] == "The conditional request failed"
    old = table.delete_item(Key=key, ConditionExpression=Attr("count").eq(3), ReturnValues="ALL_OLD")
    assert old["Attributes"]["seen"] == [1, 2, 3]


def test_updates_that_only_take_away_make_no_item(table):
    key = {"id": "none", "at": 0}
    for update in (
        {"UpdateExpression": "REMOVE a, b.c DELETE d :d", "ExpressionAttributeValues": {":d": {"x"}}},
        {"AttributeUpdates": {"a": {"Action": "DELETE"}}},
    ):
        assert "Attributes" not in table.update_item(Key=key, ReturnValues="ALL_NEW", **update)
        assert "Item" not in table.get_item(Key=key)
    table.update_item(Key=key)
    assert table.get_item(Key=key)["Item"] == key


def test_tags_come_in_one_answer(client, table):
    arn = table.table_arn
    tags = [{"Key": f"tag {n:02}", "Value": str(n)} for n in range(50)]
    client.tag_resource(ResourceArn=arn, Tags=tags)
    assert client.list_tags_of_resource(ResourceArn=arn)["Tags"] == tags
    with pytest.raises(client.exceptions.ClientError, match="limit of 50"):
        client.tag_resource(ResourceArn=arn, Tags=[{"Key": "one more", "Value": ""}])


def test_many_items_in_batches_and_pages(client, table):
    with table.batch_writer() as batch:
        for i in range(1000):
            batch.put_item(Item={"id": f"group {i % 4}", "at": i, "text": "x" * 2000, "odd": i % 2})
    pages = list(client.get_paginator("scan").paginate(TableName=table.name))
    assert len(pages) > 1, "a scan of 2 MB takes more than one page"
    assert sum(len(page["Items"]) for page in pages) == 1000

    def query(**arguments):
        arguments = {"KeyConditionExpression": Key("id").eq("group 1") & Key("at").between(101, 901)} | arguments
        answer = table.query(**arguments)
        while True:
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            answer = table.query(ExclusiveStartKey=answer["LastEvaluatedKey"], **arguments)

    assert [item["at"] for item in query(Limit=7)] == list(range(101, 902, 4))
    backwards = query(ScanIndexForward=False, ProjectionExpression="#at", ExpressionAttributeNames={"#at": "at"})
    assert list(backwards) == [{"at": i} for i in range(901, 100, -4)]
    assert table.scan(FilterExpression=Attr("odd").eq(1) & Attr("at").lt(10), Select="COUNT")["Count"] == 5

    keys = [{"id": {"S": f"group {i % 4}"}, "at": {"N": str(i)}} for i in range(100)]
    got = client.batch_get_item(RequestItems={table.name: {"Keys": keys}})
    assert not got["UnprocessedKeys"] and len(got["Responses"][table.name]) == 100
    with table.batch_writer() as batch:
        for i in range(1000):
            batch.delete_item(Key={"id": f"group {i % 4}", "at": i})
    assert table.scan()["Count"] == 0


def test_no_addition_is_lost(client, table):
    key = {"id": {"S": "counter"}, "at": {"N": "0"}}

    def add(_):
        client.update_item(
            TableName=table.name, Key=key, UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(400)))
    assert client.get_item(TableName=table.name, Key=key, ConsistentRead=True)["Item"]["n"] == {"N": "400"}


def test_tables_are_listed_in_pages(client, table):
    pages = client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 1})
    assert table.name in [name for page in pages for name in page["TableNames"]]
    description = client.describe_table(TableName=table.name)["Table"]
    assert description["TableStatus"] == "ACTIVE"
    assert [k["AttributeName"] for k in description["KeySchema"]] == ["id", "at"]
    with pytest.raises(client.exceptions.ResourceInUseException):
        client.create_table(
            TableName=table.name, BillingMode="PAY_PER_REQUEST", KeySchema=description["KeySchema"],
            AttributeDefinitions=description["AttributeDefinitions"],
        )
