package kinesisapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestEncryptionIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, testEncryptionIsTold)
}

func testEncryptionIsTold(t *testing.T) {
	f := newFixture(t)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":1}`)
	const (
		key  = "alias/aws/kinesis"
		both = `{"StreamName":"s","EncryptionType":"KMS","KeyId":"` + key + `"}`
		one  = `{"StreamName":"s","PartitionKey":"k","Data":"YQ=="}`
		many = `{"StreamName":"s","Records":[{"PartitionKey":"k","Data":"YQ=="}]}`
	)
	put := func(encrypted bool) {
		t.Helper()
		for _, answer := range []string{f.must("PutRecord", one), f.must("PutRecords", many)} {
			if strings.Contains(answer, `"EncryptionType":"KMS"`) != encrypted || !encrypted && strings.Contains(answer, "EncryptionType") {
				t.Errorf("encrypted %t: %s", encrypted, answer)
			}
		}
		time.Sleep(time.Second)
	}
	put(false)
	f.must("StartStreamEncryption", both)
	f.must("StartStreamEncryption", strings.Replace(both, key, "arn:aws:kms:us-east-1:000000000000:"+key, 1))
	put(true)
	for _, op := range []string{"DescribeStream", "DescribeStreamSummary"} {
		if got := f.must(op, `{"StreamName":"s"}`); !strings.Contains(got, `"EncryptionType":"KMS"`) || !strings.Contains(got, `"KeyId":"arn:aws:kms:us-east-1:000000000000:alias/aws/kinesis"`) {
			t.Error(got)
		}
	}
	f.must("StopStreamEncryption", both)
	put(false)
	if got := f.must("DescribeStream", `{"StreamName":"s"}`); !strings.Contains(got, `"EncryptionType":"NONE"`) || strings.Contains(got, "KeyId") {
		t.Error(got)
	}
	var it struct{ ShardIterator string }
	if err := json.Unmarshal([]byte(f.must("GetShardIterator", `{"StreamName":"s","ShardId":"0","ShardIteratorType":"TRIM_HORIZON"}`)), &it); err != nil {
		t.Fatal(err)
	}
	for _, extra := range []string{"", `,"StreamARN":"` + settingsARN + `"`} { // fast and general
		var out struct {
			Records []struct{ EncryptionType string }
		}
		if err := json.Unmarshal([]byte(f.must("GetRecords", fmt.Sprintf(`{"ShardIterator":%q%s}`, it.ShardIterator, extra))), &out); err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, r := range out.Records {
			told = append(told, r.EncryptionType)
		}
		if got := strings.Join(told, ","); got != ",,KMS,KMS,," {
			t.Errorf("%s: %s", extra, got)
		}
	}
}

func TestKeysAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.must("CreateStream", `{"StreamName":"s","ShardCount":1}`)
	f.refused("StartStreamEncryption", `{"StreamName":"s","EncryptionType":"KMS","KeyId":"alias/mine"}`, `{"__type":"KMSNotFoundException","message":"Key 'alias/mine' does not exist: Weir has no keys but alias/aws/kinesis."}`)
	f.refused("StartStreamEncryption", `{"StreamName":"s","EncryptionType":"NONE","KeyId":"alias/aws/kinesis"}`, `{"__type":"InvalidArgumentException","message":"EncryptionType NONE is not valid: the only valid value is KMS."}`)
	f.refused("StopStreamEncryption", `{"StreamName":"s"}`, `{"__type":"ValidationException","message":"2 validation errors detected: Value null at 'encryptionType' failed to satisfy constraint: Member must not be null; Value null at 'keyId' failed to satisfy constraint: Member must not be null"}`)
	f.refused("StartStreamEncryption", `{"StreamName":"t","EncryptionType":"KMS","KeyId":"alias/aws/kinesis"}`, `{"__type":"ResourceNotFoundException","message":"Stream t under account 000000000000 not found."}`)
}
