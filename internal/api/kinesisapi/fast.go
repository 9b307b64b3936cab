package kinesisapi

import (
	"context"
	"encoding/base64"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/jsonscan"
	"github.com/weirstream/weir/internal/stream"
)

// putRecordsFast is PutRecords for well-formed requests without rarities. What it
// does not understand, and everything that would be refused, it leaves to the
// general path, which knows the texts.
func (h handlers) putRecordsFast(ctx context.Context, body []byte, w *api.ResponseWriter) (bool, error) {
	name, entries, ok := decodePutRecords(body)
	if !ok {
		return false, nil
	}
	st, err := h.streams.Get(name)
	if err != nil {
		return true, exception(err)
	}
	if st.Definition().Encryption.Key() != "" {
		return false, nil
	}
	placed, err := putRecords(ctx, st, entries)
	if err != nil {
		return true, exception(err)
	}
	w.Set(appendPutRecords(w.Bytes(), placed))
	return true, nil
}

// decodePutRecords reads {"StreamName":S,"Records":[{"Data":D,"PartitionKey":K}]}.
// Data of all records share one buffer.
func decodePutRecords(body []byte) (name string, entries []stream.Entry, ok bool) {
	var s jsonscan.Scanner
	s.Reset(body)
	data := make([]byte, 0, len(body)*3/4)
	if s.Kind() != jsonscan.Object || !s.Object() {
		return "", nil, false
	}
	seen := 0
	for member, more := s.Member(); more; member, more = s.Member() {
		switch string(member) {
		case "StreamName":
			if s.Kind() != jsonscan.String {
				return "", nil, false
			}
			name = string(s.String())
			seen |= 1
		case "Records":
			if seen&2 != 0 || s.Kind() != jsonscan.Array {
				return "", nil, false
			}
			seen |= 2
			if entries, ok = decodeEntries(&s, data); !ok {
				return "", nil, false
			}
		default:
			return "", nil, false
		}
	}
	if s.End() != nil || seen != 3 || len(name) > maxNameLength || !namePattern.Match(name) {
		return "", nil, false
	}
	return name, entries, len(entries) >= 1 && len(entries) <= maxPutRecords
}

func decodeEntries(s *jsonscan.Scanner, data []byte) ([]stream.Entry, bool) {
	entries := make([]stream.Entry, 0, 64)
	s.Array()
	for s.Element() {
		if len(entries) == maxPutRecords || s.Kind() != jsonscan.Object {
			return nil, false
		}
		var e stream.Entry
		if data, e = decodeEntry(s, data); e.Data == nil || e.PartitionKey == "" {
			return nil, false
		}
		entries = append(entries, e)
	}
	return entries, s.Err() == nil
}

// decodeEntry reads a record; it returns one without data when it cannot.
func decodeEntry(s *jsonscan.Scanner, data []byte) ([]byte, stream.Entry) {
	var e stream.Entry
	s.Object()
	for member, more := s.Member(); more; member, more = s.Member() {
		if s.Kind() != jsonscan.String {
			return data, stream.Entry{}
		}
		switch string(member) {
		case "Data":
			start := len(data)
			var err error
			if data, err = jsonscan.AppendBase64(data, s.String()); err != nil || len(data)-start > maxData {
				return data, stream.Entry{}
			}
			e.Data = data[start:len(data):len(data)]
		case "PartitionKey":
			e.PartitionKey = string(s.String())
			if len(e.PartitionKey) > maxPartitionKey && api.UTF16Len(e.PartitionKey) > maxPartitionKey {
				return data, stream.Entry{}
			}
		case "ExplicitHashKey":
			text := string(s.String())
			h, err := stream.ParseHashKey(text)
			if err != nil || !hashKeyPattern.Match(text) {
				return data, stream.Entry{}
			}
			e.Hash = &h
		default:
			return data, stream.Entry{}
		}
	}
	return data, e
}

func appendPutRecords(dst []byte, placed []stream.Placed) []byte {
	dst = append(dst, `{"FailedRecordCount":0,"Records":[`...)
	for i, p := range placed {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"SequenceNumber":"`...)
		dst = p.Sequence.Append(dst)
		dst = append(dst, `","ShardId":"`...)
		dst = stream.AppendShardID(dst, p.Shard)
		dst = append(dst, `"}`...)
	}
	return append(dst, `]}`...)
}

// getRecordsFast reads with the general decoder's rules, as the request is small,
// and writes the records, which are not, by itself.
func (h handlers) getRecordsFast(ctx context.Context, body []byte, w *api.ResponseWriter) (bool, error) {
	in, ok := decodeGetRecords(body)
	if !ok {
		return false, nil
	}
	b, err := h.readBatch(ctx, in)
	if err != nil {
		return true, err
	}
	if len(b.ChildShards) > 0 || b.Next == nil {
		return false, nil
	}
	dst := append(w.Bytes(), `{"MillisBehindLatest":`...)
	dst = strconv.AppendInt(dst, b.Behind.Milliseconds(), 10)
	dst = append(dst, `,"NextShardIterator":"`...)
	dst = append(dst, b.Next.String()...)
	dst = append(dst, `","Records":[`...)
	for i, r := range b.Records {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"ApproximateArrivalTimestamp":`...)
		dst = appendSeconds(dst, r.Arrival)
		dst = append(dst, `,"Data":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, r.Data)
		if b.Encryption.Covers(r.Arrival) {
			dst = append(dst, `","EncryptionType":"KMS`...)
		}
		dst = append(dst, `","PartitionKey":`...)
		dst = awsjson.AppendString(dst, r.PartitionKey)
		dst = append(dst, `,"SequenceNumber":"`...)
		dst = b.Shard.SequenceOf(r).Append(dst)
		dst = append(dst, `"}`...)
	}
	w.Set(append(dst, `]}`...))
	return true, nil
}

func decodeGetRecords(body []byte) (*kinesis.GetRecordsInput, bool) {
	var s jsonscan.Scanner
	s.Reset(body)
	var in kinesis.GetRecordsInput
	if s.Kind() != jsonscan.Object || !s.Object() {
		return nil, false
	}
	for member, more := s.Member(); more; member, more = s.Member() {
		switch {
		case string(member) == "ShardIterator" && s.Kind() == jsonscan.String:
			text := string(s.String())
			in.ShardIterator = &text
		case string(member) == "Limit" && s.Kind() == jsonscan.Number:
			n, err := strconv.ParseInt(string(s.Number()), 10, 32)
			if err != nil {
				return nil, false
			}
			limit := int32(n)
			in.Limit = &limit
		default:
			return nil, false
		}
	}
	return &in, s.End() == nil
}

// appendSeconds appends milliseconds as seconds with a fraction.
func appendSeconds(dst []byte, ms int64) []byte {
	dst = strconv.AppendInt(dst, ms/1000, 10)
	if frac := ms % 1000; frac != 0 {
		dst = append(dst, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
	}
	return dst
}
