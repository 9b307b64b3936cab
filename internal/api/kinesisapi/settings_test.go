package kinesisapi

import (
	"strings"
	"testing"
)

const settingsARN = "arn:aws:kinesis:us-east-1:000000000000:stream/s"

func TestModeIsChangedTwiceADay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":3}`)
	for _, mode := range []string{"ON_DEMAND", "ON_DEMAND", "PROVISIONED", "PROVISIONED"} {
		f.must("UpdateStreamMode", `{"StreamARN":"`+settingsARN+`","StreamModeDetails":{"StreamMode":"`+mode+`"}}`)
		if got := f.must("DescribeStreamSummary", `{"StreamName":"s"}`); !strings.Contains(got, `"OpenShardCount":3`) || !strings.Contains(got, `"StreamMode":"`+mode+`"`) {
			t.Errorf("after %s: %s", mode, got)
		}
	}
	f.must("SplitShard", `{"StreamName":"s","ShardToSplit":"0","NewStartingHashKey":"100"}`)
	f.refused("UpdateStreamMode", `{"StreamARN":"`+settingsARN+`","StreamModeDetails":{"StreamMode":"ON_DEMAND"}}`, `{"__type":"LimitExceededException","message":"The mode of stream s under account 000000000000 can be changed 2 times within 24 hours."}`)
	f.refused("UpdateStreamMode", `{"StreamARN":"`+settingsARN+`","StreamModeDetails":{"StreamMode":"X"}}`, `{"__type":"ValidationException","message":"1 validation error detected: Value 'X' at 'streamModeDetails.streamMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, ON_DEMAND]"}`)
	f.refused("UpdateStreamMode", `{"StreamModeDetails":{}}`, `{"__type":"ValidationException","message":"2 validation errors detected: Value null at 'streamARN' failed to satisfy constraint: Member must not be null; Value null at 'streamModeDetails.streamMode' failed to satisfy constraint: Member must not be null"}`)
	f.refused("UpdateStreamMode", `{"StreamARN":"`+settingsARN+`x","StreamModeDetails":{"StreamMode":"ON_DEMAND"}}`, `{"__type":"ResourceNotFoundException","message":"Stream sx under account 000000000000 not found."}`)
}

func TestLargestRecord(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":1}`)
	data := strings.Repeat("A", 4<<20) // 3 MiB in base64
	one := `{"StreamName":"s","PartitionKey":"k","Data":"` + data + `"}`
	many := `{"StreamName":"s","Records":[{"PartitionKey":"k","Data":""},{"PartitionKey":"k","Data":"` + data + `"}]}`
	refusal := func(path string) string {
		return `{"__type":"ValidationException","message":"1 validation error detected: Value 'java.nio.HeapByteBuffer[pos=0 lim=3145728 cap=3145728]' at '` + path + `' failed to satisfy constraint: Member must have length less than or equal to 1048576"}`
	}
	f.refused("PutRecord", one, refusal("data"))
	f.refused("PutRecords", many, refusal("records.2.member.data"))
	f.refused("UpdateMaxRecordSize", `{"StreamARN":"`+settingsARN+`","MaxRecordSizeInKiB":1023}`, `{"__type":"ValidationException","message":"1 validation error detected: Value '1023' at 'maxRecordSizeInKiB' failed to satisfy constraint: Member must have value greater than or equal to 1024"}`)
	f.refused("UpdateMaxRecordSize", `{"StreamARN":"`+settingsARN+`"}`, `{"__type":"ValidationException","message":"1 validation error detected: Value null at 'maxRecordSizeInKiB' failed to satisfy constraint: Member must not be null"}`)
	f.must("UpdateMaxRecordSize", `{"StreamARN":"`+settingsARN+`","MaxRecordSizeInKiB":4096}`)
	f.must("PutRecord", one)
	f.must("PutRecords", many)
	if got := f.must("DescribeStreamSummary", `{"StreamName":"s"}`); !strings.Contains(got, `"MaxRecordSizeInKiB":4096`) {
		t.Error(got)
	}
	f.must("UpdateMaxRecordSize", `{"StreamARN":"`+settingsARN+`","MaxRecordSizeInKiB":1024}`)
	f.refused("PutRecord", one, refusal("data"))
}

func TestLimits(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":2}`)
	f.must("CreateStream", `{"StreamName":"t"}`)
	f.must("MergeShards", `{"StreamName":"s","ShardToMerge":"0","AdjacentShardToMerge":"1"}`)
	want := `{"OnDemandStreamCount":1,"OnDemandStreamCountLimit":50,"OpenShardCount":5,"ShardLimit":20000}`
	if got := f.must("DescribeLimits", `{}`); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestShardMetricsAreChosen(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":1}`)
	const (
		some = `"IncomingBytes","OutgoingBytes"`
		most = `"IncomingBytes","IncomingRecords","IteratorAgeMilliseconds","OutgoingRecords","ReadProvisionedThroughputExceeded","WriteProvisionedThroughputExceeded"`
		all  = `"IncomingBytes","IncomingRecords","IteratorAgeMilliseconds","OutgoingBytes","OutgoingRecords","ReadProvisionedThroughputExceeded","WriteProvisionedThroughputExceeded"`
	)
	for _, step := range []struct{ op, metrics, before, after string }{
		{"EnableEnhancedMonitoring", `"OutgoingBytes","IncomingBytes"`, ``, some},
		{"EnableEnhancedMonitoring", `"ALL"`, some, all},
		{"DisableEnhancedMonitoring", `"OutgoingBytes"`, all, most},
		{"DisableEnhancedMonitoring", `"ALL","OutgoingBytes"`, most, ``},
	} {
		want := `{"CurrentShardLevelMetrics":[` + step.before + `],"DesiredShardLevelMetrics":[` + step.after + `],"StreamARN":"` + settingsARN + `","StreamName":"s"}`
		if got := f.must(step.op, `{"StreamName":"s","ShardLevelMetrics":[`+step.metrics+`]}`); got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", step.op, step.metrics, got, want)
		}
		if got := f.must("DescribeStream", `{"StreamName":"s"}`); !strings.Contains(got, `"EnhancedMonitoring":[{"ShardLevelMetrics":[`+step.after+`]}]`) {
			t.Error(got)
		}
	}
	f.refused("EnableEnhancedMonitoring", `{"StreamName":"s"}`, `{"__type":"ValidationException","message":"1 validation error detected: Value null at 'shardLevelMetrics' failed to satisfy constraint: Member must not be null"}`)
	f.refused("EnableEnhancedMonitoring", `{"StreamName":"t","ShardLevelMetrics":["ALL"]}`, `{"__type":"ResourceNotFoundException","message":"Stream t under account 000000000000 not found."}`)
}
