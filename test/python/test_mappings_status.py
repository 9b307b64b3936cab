"""How mappings stand, as the command line, the console and Prometheus are told."""

import json
import re
import signal
import subprocess
import urllib.request

import pytest

from conftest import ENVIRONMENT, eventually
from mappings import create_function, create_stream, delivered, map_source, put, status, stay_in_a_window


@pytest.fixture(scope="module")
def uuids(weir):
    """Mappings of a function that works and of one that does not, by function."""
    stay_in_a_window(900, 40)
    source, uuids = create_stream(weir, "watched", shards=2), {}
    put(weir, "watched", [str(n) for n in range(50)], key=str)
    for name, body in (("good", "return {'state': {'n': 1}}"), ("bad", "raise ValueError('it does not like this')")):
        create_function(weir, name, f"def handler(event, context):\n    {body}\n")
        options = {"TumblingWindowInSeconds": 900} if name == "good" else {"MaximumRetryAttempts": 100, "ParallelizationFactor": 2}
        uuids[name] = map_source(weir, source, name, **options)

    def busy():
        assert delivered(weir, uuids["good"]) == 50
        assert all(lane["retries"] > 1 for lane in status(weir, uuids["bad"]))

    eventually(busy)
    return uuids


@pytest.fixture
def command(weir, binary):
    def start(*args):
        return subprocess.Popen([binary, "status", *args], env=ENVIRONMENT | {"WEIR_ENDPOINT": weir.endpoint},
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


@pytest.fixture
def say(command):
    def run(*args, code=0):
        process = command(*args)
        out, err = process.communicate(timeout=30)
        assert process.returncode == code, out + err
        return out + err

    return run


def test_everything(weir, uuids, say):
    told = say()
    assert re.search(r"^Weir \S+ at http://127\.0\.0\.1:\d+, up ", told)
    assert re.search(r"^watched +2 +50 ", told, re.M) and re.search(r"^bad +\d+ +\d+ +0 ", told, re.M)
    good = re.search(r"^stream watched -> good  (\S+)  Enabled\n(.*)\n  SHARD .*\n((?:  shardId.*\n)+)", told, re.M)
    assert good[1] == uuids["good"] and "windows of 900 s" in good[2] and good[2].endswith("OK")
    rows = good[3].splitlines()
    assert len(rows) == 2 and all(re.search(r"waiting .* \d\d:\d\d:\d\d-\d\d:\d\d:\d\d, 8 B$", row) for row in rows), rows
    assert re.search(r"^  shardId-000000000001 lane 1 +(retrying|invoking) ", told, re.M)
    assert re.search(r"^  ! shardId-000000000000 lane 0, \d+ failed: ValueError: it does not like this$", told, re.M)


def test_one_function_or_mapping(uuids, say):
    for name in ("good", uuids["good"]):
        told = say(name)
        assert told.startswith("stream watched -> good") and "-> bad" not in told
    assert "no event source mapping of a function or with a UUID \"none\"" in say("none", code=1)
    assert "takes no argument" in say("a", "b", code=2)


def test_as_json(uuids, say):
    told = json.loads(say("--json", "bad"))
    [mapping] = told["mappings"]
    assert (mapping["uuid"], mapping["retryLimit"], mapping["recordAge"], mapping["factor"]) == (uuids["bad"], 100, -1, 2)
    assert {(s["shard"][-1], s["lane"]) for s in mapping["shards"]} == {("0", 0), ("0", 1), ("1", 0), ("1", 1)}
    assert all(s["behindMs"] > 0 and s["attempts"] > 0 and s["lastBatch"] > 0 for s in mapping["shards"])
    assert [s["name"] for s in told["streams"]] == ["watched"]


def test_watching(uuids, command):
    """It goes on until it is interrupted, which is no failure."""
    process = command("--watch", "--every", "200ms", "--json", "bad")
    looks = [json.loads(process.stdout.readline())["mappings"][0]["shards"] for _ in range(12)]
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == 0
    assert sum(s["behindMs"] for s in looks[-1]) > sum(s["behindMs"] for s in looks[0])


def test_metrics(weir, uuids):
    with urllib.request.urlopen(weir.endpoint + "/_weir/metrics", timeout=10) as answer:
        text = answer.read().decode()

    def value(series):
        return float(re.search(rf"^{re.escape(series)} (\S+)$", text, re.M)[1])

    labels = {name: f'function="{name}",mapping="{uuid}",source="arn:aws:kinesis:us-east-1:000000000000:stream/watched"' for name, uuid in uuids.items()}
    assert value(f"weir_mapping_records_total{{{labels['good']}}}") == 50
    assert value(f"weir_mapping_behind_seconds{{{labels['good']}}}") == 0 < value(f"weir_mapping_behind_seconds{{{labels['bad']}}}")
    assert value(f"weir_mapping_retries_total{{{labels['bad']}}}") > 1
    assert value('weir_mapping_lanes{activity="waiting",' + labels["good"] + "}") == 2
    assert value(f'weir_mapping_shard_window_state_bytes{{lane="0",mapping="{uuids["good"]}",shard="shardId-000000000000"}}') == 8
