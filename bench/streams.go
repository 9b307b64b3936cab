package main

import (
	"context"
	"fmt"
	"time"
)

const (
	shards         = 4
	putConnections = 4
	putBatch       = 500 // records of a request, the most there may be
	putVariety     = 16  // different requests of each connection
	scanRecords    = 200_000
	scanFill       = 15 * time.Second // a slow target scans what it took in this time
)

// measurePut puts full batches over a few connections.
func measurePut(ctx context.Context, b *bench, s *server) ([]figure, error) {
	stream := b.name("put")
	if _, err := s.createStream(ctx, stream, shards); err != nil {
		return nil, err
	}
	connected, steps, err := putSteps(s, stream)
	if err != nil {
		return nil, err
	}
	defer connected.close()
	samples, err := b.repeat(ctx, connected.run, steps)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("PutRecords %d × %d bytes, %d connections", putBatch, recordSize, putConnections)
	return loadFigures(what, "records", samples), nil
}

func putSteps(s *server, stream string) (connections, []step, error) {
	connected, err := connectLightly(s.addr, putConnections)
	if err != nil {
		return connected, nil, err
	}
	rnd := newSource()
	steps := make([]step, putConnections)
	for i, c := range connected.conns {
		steps[i] = cycle(c, putBatches(rnd, stream, putVariety, putBatch), 0, putBatch, checkPut)
	}
	return connected, steps, nil
}

// fillStream puts n records, or as many as it can until limit has passed, and
// returns how many.
func fillStream(ctx context.Context, s *server, stream string, n int, limit time.Duration) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, limit+grace)
	defer cancel()
	connected, steps, err := putSteps(s, stream)
	if err != nil {
		return 0, err
	}
	defer connected.close()
	for i, do := range steps {
		steps[i] = atMost(n/putBatch/len(steps), do)
	}
	filled, err := runFor(ctx, connected.run, steps, limit)
	return filled.units, err
}

// measureScan reads what was put, from the oldest record of each shard to the
// newest and again from the start, one connection for each shard.
func measureScan(ctx context.Context, b *bench, s *server) ([]figure, error) {
	stream := b.name("scan")
	if _, err := s.createStream(ctx, stream, shards); err != nil {
		return nil, err
	}
	filled, err := fillStream(ctx, s, stream, scanRecords, scanFill)
	if err != nil {
		return nil, fmt.Errorf("filling: %w", err)
	}
	connected := connect(s.addr, shards)
	defer connected.close()
	scans := make([]*scan, shards)
	steps := make([]step, shards)
	for i, c := range connected.conns {
		scans[i] = &scan{conn: c, stream: stream, shard: fmt.Sprintf("shardId-%012d", i), whole: -1}
		steps[i] = scans[i].next
	}
	samples, err := b.repeat(ctx, connected.run, steps)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("GetRecords scan, %d connections", shards)
	return loadFigures(what, "records", samples), checkScans(scans, filled)
}

// checkScans compares what whole scans of the shards have found with what was put.
func checkScans(scans []*scan, filled int) error {
	found := 0
	for _, s := range scans {
		if s.whole < 0 {
			return nil // too slow to get to the end
		}
		found += s.whole
	}
	if found != filled {
		return fmt.Errorf("%d records were put but a scan found %d", filled, found)
	}
	return nil
}

// scan reads one shard over and over.
type scan struct {
	conn          *conn
	stream, shard string
	iterator      []byte // nil: begin at the oldest record
	request       []byte // reused
	read          int    // records of this pass
	whole         int    // records of the last whole pass, -1 before
}

// next gets an iterator or a batch of records. A pass ends with an empty batch.
func (s *scan) next(ctx context.Context) (int, error) {
	if s.iterator == nil {
		return 0, s.begin(ctx)
	}
	body := fmt.Appendf(nil, `{"Limit":10000,"ShardIterator":%q}`, s.iterator)
	s.request = kinesisJSON.appendPost(s.request[:0], "GetRecords", body)
	resp, err := s.do(ctx)
	if err != nil {
		return 0, err
	}
	n := countRecords(resp.body)
	s.read += n
	s.iterator = append(s.iterator[:0], stringMember(resp.body, "NextShardIterator")...)
	if n == 0 {
		s.whole, s.read, s.iterator = s.read, 0, nil
	}
	return n, nil
}

func (s *scan) begin(ctx context.Context) error {
	body := fmt.Appendf(nil, `{"StreamName":%q,"ShardId":%q,"ShardIteratorType":"TRIM_HORIZON"}`, s.stream, s.shard)
	s.request = kinesisJSON.appendPost(s.request[:0], "GetShardIterator", body)
	resp, err := s.do(ctx)
	if err != nil {
		return err
	}
	s.iterator = append([]byte(nil), stringMember(resp.body, "ShardIterator")...)
	if len(s.iterator) == 0 {
		return fmt.Errorf("no iterator: %s", resp.body)
	}
	return nil
}

func (s *scan) do(ctx context.Context) (response, error) {
	resp, err := s.conn.do(ctx, s.request)
	if err != nil {
		return resp, err
	}
	return resp, checkStatus(resp)
}
