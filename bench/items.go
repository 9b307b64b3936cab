package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
)

const (
	itemConnections = 16
	itemKeys        = 1000
)

// measureUpdate adds to the counters of many items.
func measureUpdate(ctx context.Context, b *bench, s *server) ([]figure, error) {
	what := fmt.Sprintf("UpdateItem ADD, %s keys, %d connections", thousands(itemKeys), itemConnections)
	return measureADD(ctx, b, s, what, itemKeys)
}

// measureHot adds to the counter of one item, so that every request meets every other.
func measureHot(ctx context.Context, b *bench, s *server) ([]figure, error) {
	return measureADD(ctx, b, s, fmt.Sprintf("UpdateItem ADD, 1 key, %d connections", itemConnections), 1)
}

// measureADD measures additions and then checks that the counters add up to them.
func measureADD(ctx context.Context, b *bench, s *server, what string, n int) ([]figure, error) {
	table := b.name("counters")
	keys, requests := make([]string, n), make([][]byte, n)
	for i := range keys {
		keys[i] = itemKey(i)
		requests[i] = updateItem(table, keys[i])
	}
	if err := s.createTable(ctx, table); err != nil {
		return nil, err
	}
	var added atomic.Int64
	figures, err := measureItems(ctx, b, s, what, requests, func(r response) error {
		added.Add(1)
		return checkStatus(r)
	})
	if err != nil {
		return nil, err
	}
	return figures, checkCounters(ctx, s, table, keys, int(added.Load()))
}

// checkCounters compares the sum of EventCount over some items with what it must be.
func checkCounters(ctx context.Context, s *server, table string, keys []string, want int) error {
	sum, err := sumCounters(ctx, s, table, keys)
	if err != nil {
		return fmt.Errorf("checking counters: %w", err)
	}
	if sum != want {
		return fmt.Errorf("counters add up to %d after %d acknowledged additions", sum, want)
	}
	return nil
}

// sumCounters adds up the counters of keys.
func sumCounters(ctx context.Context, s *server, table string, keys []string) (sum int, err error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c := conn{addr: s.addrOf(dynamodbJSON)}
	defer c.close()
	for _, key := range keys {
		resp, err := c.do(ctx, getItem(table, key))
		if err != nil {
			return 0, cause(ctx, err)
		}
		if err := checkStatus(resp); err != nil {
			return 0, err
		}
		n, err := counter(resp.body)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// counter returns EventCount in a GetItem answer, 0 if there is no item.
func counter(body []byte) (int, error) {
	value := memberValue(body, "EventCount")
	if value == nil {
		return 0, nil
	}
	end := bytes.IndexByte(value, '}')
	if end < 0 {
		return 0, fmt.Errorf("counter in %s", body)
	}
	return strconv.Atoi(string(stringMember(value[:end], "N")))
}

// itemVersions is how many items of a key the puts go through, so that each put
// changes what is there: one that changes nothing is no write.
const itemVersions = 8

// measurePutItem replaces items by others.
func measurePutItem(ctx context.Context, b *bench, s *server) ([]figure, error) {
	table := b.name("items")
	if err := s.createTable(ctx, table); err != nil {
		return nil, err
	}
	what := fmt.Sprintf("PutItem, %s keys, %d connections", thousands(itemKeys), itemConnections)
	return measureItems(ctx, b, s, what, putItems(table, itemVersions), checkStatus)
}

// measureGetItem reads items, consistently.
func measureGetItem(ctx context.Context, b *bench, s *server) ([]figure, error) {
	table := b.name("items")
	if err := s.createTable(ctx, table); err != nil {
		return nil, err
	}
	if err := fillTable(ctx, s, putItems(table, 1)); err != nil {
		return nil, fmt.Errorf("filling: %w", err)
	}
	requests := make([][]byte, itemKeys)
	for i := range requests {
		requests[i] = getItem(table, itemKey(i))
	}
	what := fmt.Sprintf("GetItem consistent, %s keys, %d connections", thousands(itemKeys), itemConnections)
	return measureItems(ctx, b, s, what, requests, checkItem)
}

// putItems puts an item of each key, and then others of each key, random ones.
func putItems(table string, versions int) [][]byte {
	rnd := newSource()
	requests := make([][]byte, versions*itemKeys)
	for i := range requests {
		requests[i] = putItem(rnd, table, itemKey(i%itemKeys))
	}
	return requests
}

// fillTable sends every request once.
func fillTable(ctx context.Context, s *server, requests [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c := conn{addr: s.addr}
	defer c.close()
	_, err := runFor(ctx, goroutines, []step{atMost(len(requests), cycle(&c, requests, 0, 1, checkStatus))}, callTimeout)
	return err
}

// measureItems sends the requests from every connection, each beginning with
// another one.
func measureItems(ctx context.Context, b *bench, s *server, what string, requests [][]byte, check func(response) error) ([]figure, error) {
	connected, err := connectLightly(s.addr, itemConnections)
	if err != nil {
		return nil, err
	}
	defer connected.close()
	steps := make([]step, itemConnections)
	for i, c := range connected.conns {
		steps[i] = cycle(c, requests, i*len(requests)/itemConnections, 1, check)
	}
	samples, err := b.repeat(ctx, connected.run, steps)
	if err != nil {
		return nil, err
	}
	return loadFigures(what, "requests", samples), nil
}
