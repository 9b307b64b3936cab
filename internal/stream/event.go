package stream

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// Event builds the JSON objects in which a function gets the records of one
// shard. Members and their order are those that Lambda sends.
type Event struct {
	// SourceARN is the ARN of the stream, or of the consumer through which it is
	// read; Region is where it is.
	SourceARN, Region string
	Shard             Shard
	// Role is the ARN of the function's execution role.
	Role string
}

// Append appends the object for a record to dst.
func (e *Event) Append(dst []byte, r Record) []byte {
	sequence := e.Shard.SequenceOf(r)
	dst = append(dst, `{"kinesis":{"kinesisSchemaVersion":"1.0","partitionKey":`...)
	dst = appendJSONString(dst, r.PartitionKey)
	dst = append(dst, `,"sequenceNumber":"`...)
	number := len(dst)
	dst = sequence.Append(dst)
	end := len(dst)
	dst = append(dst, `","data":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, r.Data)
	dst = append(dst, `","approximateArrivalTimestamp":`...)
	dst = strconv.AppendInt(dst, r.Arrival/1000, 10)
	dst = append(dst, '.')
	dst = appendMillis(dst, r.Arrival%1000)
	dst = append(dst, `},"eventSource":"aws:kinesis","eventVersion":"1.0","eventID":"`...)
	dst = AppendShardID(dst, e.Shard.Index)
	dst = append(dst, ':')
	dst = append(dst, dst[number:end]...)
	dst = append(dst, `","eventName":"aws:kinesis:record","invokeIdentityArn":`...)
	dst = appendJSONString(dst, e.Role)
	dst = append(dst, `,"awsRegion":"`...)
	dst = append(dst, e.Region...)
	dst = append(dst, `","eventSourceARN":`...)
	dst = appendJSONString(dst, e.SourceARN)
	return append(dst, '}')
}

// appendMillis appends the fraction of a second, at least one digit.
func appendMillis(dst []byte, ms int64) []byte {
	dst = append(dst, byte('0'+ms/100))
	if ms%100 != 0 {
		dst = append(dst, byte('0'+ms/10%10))
	}
	if ms%10 != 0 {
		dst = append(dst, byte('0'+ms%10))
	}
	return dst
}

func appendJSONString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' || c >= utf8.RuneSelf || c == '<' || c == '>' || c == '&' {
			quoted, _ := json.Marshal(s) // strings always marshal
			return append(dst, quoted...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
