package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
)

// protocol is how the operations of a service are called over AWS JSON.
type protocol struct {
	service, target, contentType string
}

var (
	kinesisJSON  = protocol{"kinesis", "Kinesis_20131202", "application/x-amz-json-1.1"}
	dynamodbJSON = protocol{"dynamodb", "DynamoDB_20120810", "application/x-amz-json-1.0"}
)

// post returns a whole request for an operation, ready to be sent.
func (p protocol) post(operation string, body []byte) []byte {
	return p.appendPost(nil, operation, body)
}

// appendPost is post into a buffer that is reused.
func (p protocol) appendPost(dst []byte, operation string, body []byte) []byte {
	dst = fmt.Appendf(dst, "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\nX-Amz-Target: %s.%s\r\n", p.contentType, p.target, operation)
	dst = appendSignature(dst, p.service)
	return appendBody(dst, body)
}

// rest returns a request of a REST JSON service.
func rest(service, method, path string, body []byte) []byte {
	dst := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n", method, path)
	return appendBody(appendSignature(dst, service), body)
}

// appendSignature adds the header fields of a signed request, at their usual
// length. The signature is not valid: no server under test checks it.
func appendSignature(dst []byte, service string) []byte {
	const zeros = "0000000000000000000000000000000000000000000000000000000000000000"
	return fmt.Appendf(dst, "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 "+
		"Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/%s/aws4_request, "+
		"SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=%s\r\n", service, zeros)
}

func appendBody(dst, body []byte) []byte {
	dst = append(dst, "Content-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, body...)
}

// recordSize is the size in bytes of a record's data in every scenario.
const recordSize = 200

// newSource gives the same random numbers in each run, so that every target gets
// the same requests.
func newSource() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// eventData is a JSON event of recordSize bytes with a key and, unless it is 0, an id,
// filled up with random digits.
func eventData(rnd *rand.Rand, key string, id int) []byte {
	data := fmt.Appendf(nil, `{"key":%q,`, key)
	if id != 0 {
		data = fmt.Appendf(data, `"id":%d,`, id)
	}
	data = append(data, `"utc_timestamp":"2015-05-17T10:05:03","session":"`...)
	for len(data) < recordSize-2 {
		data = append(data, "0123456789abcdef"[rnd.IntN(16)])
	}
	return append(data, `"}`...)
}

// partitionKey spreads records evenly over the shards of a stream.
func partitionKey(rnd *rand.Rand) string { return fmt.Sprintf("%016x", rnd.Uint64()) }

// appendRecord adds an entry of PutRecords, or the inside of PutRecord.
func appendRecord(dst, data []byte, key string) []byte {
	dst = append(dst, `"Data":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, data)
	dst = append(dst, `","PartitionKey":"`...)
	dst = append(dst, key...)
	return append(dst, '"')
}

// putRecords is a PutRecords request with the data given, each under a random
// partition key.
func putRecords(rnd *rand.Rand, stream string, data [][]byte) []byte {
	body := []byte(`{"Records":[`)
	for i, d := range data {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(appendRecord(append(body, '{'), d, partitionKey(rnd)), '}')
	}
	return kinesisJSON.post("PutRecords", fmt.Appendf(body, `],"StreamName":%q}`, stream))
}

// putRecord is a PutRecord request.
func putRecord(rnd *rand.Rand, stream string, data []byte) []byte {
	body := appendRecord([]byte{'{'}, data, partitionKey(rnd))
	return kinesisJSON.post("PutRecord", fmt.Appendf(body, `,"StreamName":%q}`, stream))
}

// putBatches are PutRecords requests of batch random records each.
func putBatches(rnd *rand.Rand, stream string, requests, batch int) [][]byte {
	out := make([][]byte, requests)
	for i := range out {
		data := make([][]byte, batch)
		for j := range data {
			data[j] = eventData(rnd, eventKey(rnd.IntN(pipelineKeys)), 0)
		}
		out[i] = putRecords(rnd, stream, data)
	}
	return out
}

// eventKey is the n-th key of the events that putBatches makes.
func eventKey(n int) string { return fmt.Sprintf("event-%02d", n) }

// itemKey is the value of the hash key of the n-th item of a scenario.
func itemKey(n int) string { return fmt.Sprintf("key-%06d", n) }

// updateItem is a request that adds 1 to an item's counter.
func updateItem(table, key string) []byte {
	return dynamodbJSON.post("UpdateItem", fmt.Appendf(nil, `{"TableName":%q,"Key":{"EventName":{"S":%q}},`+
		`"UpdateExpression":"ADD EventCount :n","ExpressionAttributeValues":{":n":{"N":"1"}}}`, table, key))
}

// putItem is a request that replaces an item of about 200 bytes.
func putItem(rnd *rand.Rand, table, key string) []byte {
	return dynamodbJSON.post("PutItem", fmt.Appendf(nil, `{"TableName":%q,"Item":{"EventName":{"S":%q},`+
		`"EventHour":{"S":"2015-05-17T10:00:00"},"EventCount":{"N":"%d"},"Payload":{"S":"%0120x"}}}`,
		table, key, rnd.IntN(1e6), rnd.Uint64()))
}

// getItem is a consistent read of an item.
func getItem(table, key string) []byte {
	return dynamodbJSON.post("GetItem", fmt.Appendf(nil, `{"TableName":%q,"Key":{"EventName":{"S":%q}},"ConsistentRead":true}`, table, key))
}
