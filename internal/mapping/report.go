package mapping

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
)

// Why a batch was discarded, as reports say it.
const (
	retryAttemptsExhausted = "RetryAttemptsExhausted"
	recordAgeExceeded      = "RecordAgeExceeded"
)

// discarded is a batch that is given up.
type discarded struct {
	recs      []Record
	condition string
	count     int // of attempts, as the report tells it
	last      invocation
	window    *window // nil without
	final     bool
}

// reportTime is the form of times in reports.
const reportTime = "2006-01-02T15:04:05.000Z"

// appendReport appends the document that a destination gets. payload is the event
// of the batch, for destinations that keep it, otherwise nil.
func (ln *lane) appendReport(dst []byte, d discarded, now time.Time, payload []byte) []byte {
	def := ln.def
	dst = append(dst, `{"requestContext":{"requestId":`...)
	dst = strconv.AppendQuote(dst, cmp.Or(d.last.requestID, uuid.NewString()))
	dst = append(dst, `,"functionArn":`...)
	dst = strconv.AppendQuote(dst, def.FunctionARN)
	dst = append(dst, `,"condition":"`+d.condition+`","approximateInvokeCount":`...)
	dst = strconv.AppendInt(dst, int64(d.count), 10)
	dst = append(dst, '}')
	if d.condition == retryAttemptsExhausted && d.last.ran {
		dst = append(dst, `,"responseContext":{"statusCode":200,"executedVersion":`...)
		dst = strconv.AppendQuote(dst, d.last.version)
		dst = append(dst, `,"functionError":`...)
		if d.last.functionError == "" {
			dst = append(dst, `null`...)
		} else {
			dst = strconv.AppendQuote(dst, d.last.functionError)
		}
		dst = append(dst, '}')
	}
	dst = append(dst, `,"version":"1.0"`...)
	if payload != nil {
		dst = append(dst, `,"payload":`...)
		dst = appendJSONString(dst, payload)
	}
	dst = append(dst, `,"timestamp":"`...)
	dst = now.UTC().AppendFormat(dst, reportTime)
	dst = append(dst, '"')
	return append(ln.appendBatchInfo(dst, d), '}')
}

// appendBatchInfo appends which records the batch had.
func (ln *lane) appendBatchInfo(dst []byte, d discarded) []byte {
	name, times := "KinesisBatchInfo", reportTime
	if ln.def.ofTable() {
		name, times = "DDBStreamBatchInfo", time.RFC3339
	}
	dst = append(dst, `,"`+name+`":{"shardId":`...)
	dst = strconv.AppendQuote(dst, ln.shard.ID)
	if len(d.recs) > 0 {
		first, last := d.recs[0], d.recs[len(d.recs)-1]
		dst = append(dst, `,"startSequenceNumber":`...)
		dst = strconv.AppendQuote(dst, ln.src.SequenceNumber(first))
		dst = append(dst, `,"endSequenceNumber":`...)
		dst = strconv.AppendQuote(dst, ln.src.SequenceNumber(last))
		dst = append(dst, `,"approximateArrivalOfFirstRecord":"`...)
		dst = time.UnixMilli(first.Arrival).UTC().AppendFormat(dst, times)
		dst = append(dst, `","approximateArrivalOfLastRecord":"`...)
		dst = time.UnixMilli(last.Arrival).UTC().AppendFormat(dst, times)
		dst = append(dst, `","batchSize":`...)
		dst = strconv.AppendInt(dst, int64(len(d.recs)), 10)
	}
	dst = append(dst, `,"streamArn":`...)
	dst = append(strconv.AppendQuote(dst, ln.def.SourceARN), '}')
	if d.window == nil {
		return dst
	}
	dst = append(dst, `,"timeWindowInfo":{"window":`...)
	dst = d.window.appendSpan(dst)
	dst = append(dst, `,"isFinalInvokeForWindow":`...)
	dst = strconv.AppendBool(dst, d.final)
	dst = append(dst, `,"isWindowTerminatedEarly":`...)
	return append(strconv.AppendBool(dst, d.final && d.window.terminated), '}')
}

// appendJSONString appends text, which is valid JSON and so valid UTF-8, as a JSON
// string.
func appendJSONString(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}

// reportKey is the name of a report in a bucket.
func (ln *lane) reportKey(now time.Time) string {
	now = now.UTC()
	return fmt.Sprintf("aws/lambda/%s/%s/%s/%s-%s", ln.def.UUID, ln.shard.ID,
		now.Format("2006/01/02"), now.Format("2006-01-02T15.04.05"), uuid.NewString())
}

// reportAttempts is how often a report is sent before its records are dropped
// without it.
const reportAttempts = 3

// report tells the destination of a batch that is given up, if there is one. Like an
// invocation it is not cut off when the mapping stops: the batch would come once more
// than its retries allow, or be reported twice. It fails only when the server closes: a
// destination that cannot be reached does not hold up the shard.
func (ln *lane) report(d discarded) error {
	ln.status.Discarded += uint64(len(d.recs))
	log := ln.run.mp.owner.cfg.Log.With("mapping", ln.def.UUID, "function", ln.def.FunctionName,
		"shard", ln.shard.ID, "records", len(d.recs), "condition", d.condition)
	if ln.def.OnFailure == "" {
		log.Warn("discarded a batch; the mapping has no destination for failures")
		ln.run.metrics.dropped(len(d.recs))
		return nil
	}
	now := time.Now()
	var payload []byte
	if serviceOf(ln.def.OnFailure) == "s3" {
		payload = ln.fullEvent(d)
	}
	body := ln.appendReport(nil, d, now, payload)
	owner := ln.run.mp.owner
	var err error
	for n := 1; ; n++ {
		if err = owner.cfg.Destinations.Send(owner.hard, ln.def.OnFailure, body, nil, ln.reportKey(now)); err == nil {
			ln.run.metrics.delivered(len(d.recs))
			return nil
		}
		if errors.Is(err, ErrUndeliverable) || n == reportAttempts {
			break
		}
		if err := sleep(owner.hard, ln.backoff(n)); err != nil {
			return err
		}
	}
	if err := owner.hard.Err(); err != nil {
		return err
	}
	log.Error("discarded a batch whose report could not be delivered", "destination", ln.def.OnFailure, "error", err)
	ln.run.metrics.undelivered(len(d.recs))
	return nil
}

// fullEvent is the event of a batch that is given up, also when it was never sent.
func (ln *lane) fullEvent(d discarded) []byte {
	event, err := ln.appendRecords([]byte(`{"Records":[`), d.recs, d.last.role)
	if err != nil {
		return []byte(`{"Records":[]}`)
	}
	event = append(event, ']')
	if d.window != nil {
		event = d.window.appendAttributes(event, ln.shard.ID, ln.def.SourceARN, d.final)
	}
	return append(event, '}')
}
