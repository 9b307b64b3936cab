package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestProgressRate(t *testing.T) {
	t.Parallel()
	p := progress{want: 100, done: make(chan struct{})}
	start := time.Now()
	if counted, rate := p.rate(start); counted != 0 || rate != 0 {
		t.Errorf("before the first write: %d, %v/s", counted, rate)
	}
	p.heard(notice{key: "a", count: 20}, start)
	p.heard(notice{key: "b", count: 40}, start.Add(time.Second))
	if counted, rate := p.rate(start.Add(2 * time.Second)); counted != 60 || rate != 20 {
		t.Errorf("on the way: %d, %v/s", counted, rate)
	}
	p.heard(notice{key: "a", count: 60}, start.Add(3*time.Second)) // delivered again, in part
	<-p.done
	if counted, rate := p.rate(start.Add(4 * time.Second)); counted != 120 || rate != 20 {
		t.Errorf("at the end: %d, %v/s", counted, rate)
	}
}

// fakeHost notes what it is asked for.
type fakeHost struct{ asked []string }

func (h *fakeHost) create(function string, l language, variables map[string]string) error {
	h.asked = append(h.asked, fmt.Sprint("create ", function, " ", l.name, " ", variables["TABLE"]))
	return nil
}

func (h *fakeHost) mapTo(_ context.Context, streamARN, function string, batch int) (string, error) {
	h.asked = append(h.asked, fmt.Sprint("map ", streamARN, " ", function, " ", batch))
	return "id", nil
}

func (h *fakeHost) unmap(id string) { h.asked = append(h.asked, "unmap "+id) }

func TestFunctionHostStandsInForLambda(t *testing.T) {
	t.Parallel()
	var h fakeHost
	s := &server{addr: "streams", tables: "tables", host: &h}
	if s.addrOf(kinesisJSON) != "streams" || s.addrOf(dynamodbJSON) != "tables" || (&server{addr: "both"}).addrOf(dynamodbJSON) != "both" {
		t.Error("services are looked for at wrong addresses")
	}
	if err := s.createFunction(t.Context(), "f", nodeLanguage, nil, map[string]string{"TABLE": "t"}, nil); err != nil {
		t.Fatal(err)
	}
	id, err := s.createMapping(t.Context(), "arn", "f", 10)
	if err != nil {
		t.Fatal(err)
	}
	s.deleteMapping(t.Context(), id)
	if got := strings.Join(h.asked, ", "); got != "create f Node t, map arn f 10, unmap id" {
		t.Error(got)
	}
}

func TestPeersOfferWhatScenariosNeed(t *testing.T) {
	t.Parallel()
	for _, p := range peers {
		if p.version == "" || p.offers&(exactlyOnce|rapid) != 0 {
			t.Errorf("%s %s offers %b", p.name, p.version, p.offers)
		}
		if runs := p.offers&(goFunctions|pythonFunctions|nodeFunctions) != 0; runs != (p.records > 0) {
			t.Errorf("%s has %d records for its functions", p.name, p.records)
		}
	}
}
