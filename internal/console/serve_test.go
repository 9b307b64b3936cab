package console

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"
)

// TestServe serves the console over a fake application, for work on the web app
// and for its browser tests; it is skipped unless an address is given:
//
//	WEIR_CONSOLE_SERVE=127.0.0.1:4570 go test ./internal/console -run TestServe -timeout 0
//
// WEIR_CONSOLE_COUNTS names a CSV file of hourly counts to show,
// WEIR_CONSOLE_TRAFFIC=1 makes events all the time, and WEIR_CONSOLE_EMPTY=1
// shows a server that has nothing yet. Files of the web app are read from dist
// on each request, so that a rebuild shows without a restart.
func TestServe(t *testing.T) {
	address := os.Getenv("WEIR_CONSOLE_SERVE")
	if address == "" {
		t.Skip("WEIR_CONSOLE_SERVE is not set")
	}
	f := newFake(time.Now().Add(-83 * time.Minute))
	f.address = "http://" + address
	if err := f.load(os.Getenv("WEIR_CONSOLE_COUNTS"), time.Now()); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		f.invokeBatch(time.Now(), 40)
	}
	cfg := f.config()
	if os.Getenv("WEIR_CONSOLE_EMPTY") != "" {
		cfg = nothing{f}.config()
	}
	cfg.App = os.DirFS("dist")
	c := New(cfg)
	defer c.Close()
	if os.Getenv("WEIR_CONSOLE_TRAFFIC") != "" {
		go f.traffic()
	}
	mux := http.NewServeMux()
	mux.Handle(Prefix, c)
	mux.HandleFunc("POST /{$}", f.putRecord)
	mux.Handle("/", http.RedirectHandler(Prefix, http.StatusFound))
	t.Fatal(http.ListenAndServe(address, mux))
}

// nothing is a server that nobody has used yet.
type nothing struct{ *fake }

func (n nothing) config() Config {
	cfg := n.fake.config()
	cfg.Streams, cfg.Functions, cfg.Tables, cfg.Mappings = nil, nil, nil, nil
	cfg.Alarms, cfg.Topics, cfg.Stacks, cfg.Dashboards = nil, nil, nil, nil
	cfg.Outbox = n
	return cfg
}

func (nothing) Mails(context.Context, string, int) (MailPage, error) { return MailPage{}, nil }

// putRecord takes a PutRecord call of the Kinesis API, for tests that add one.
func (f *fake) putRecord(w http.ResponseWriter, r *http.Request) {
	var in struct{ Data []byte }
	var event struct {
		Event string `json:"event"`
		Time  string `json:"utc_timestamp"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil || json.Unmarshal(in.Data, &event) != nil {
		http.Error(w, "bad record", http.StatusBadRequest)
		return
	}
	at, err := time.Parse(hourFormat, event.Time)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.put(event.Event, at, 1)
	f.invokeBatch(time.Now(), 1)
	fmt.Fprint(w, `{"SequenceNumber":"1","ShardId":"shardId-000000000000"}`)
}

func (f *fake) invokeBatch(now time.Time, records int) {
	took := 3.2 + rand.Float64()*2
	failure := ""
	if rand.IntN(40) == 0 {
		failure = "UpdateItem event-counters: ConditionalCheckFailedException: The conditional request failed"
	}
	f.invoke("count-events", now, took, failure, fmt.Sprintf(`{"time":%q,"level":"INFO","msg":"counted","records":%d,"pairs":%d}`,
		now.UTC().Format(time.RFC3339Nano), records, 1+records/8))
	f.invoke("publish-metrics", now, took/2, "", fmt.Sprintf("published %d datapoints to EventCounter", 1+records/8))
}

func (f *fake) traffic() {
	events := []string{"page view", "page view", "page view", "asset", "asset", "asset", "asset", "feed", "download", "robots", "error"}
	for range time.Tick(150 * time.Millisecond) {
		now := time.Now()
		load := 6 + 5*float64(now.Unix()%60)/60
		n := 1 + rand.IntN(int(load))
		for range n {
			f.put(events[rand.IntN(len(events))], now, 1)
		}
		f.invokeBatch(now, n)
		f.mu.Lock()
		for i := range f.mappings {
			f.mappings[i].IteratorAgeMS = float64(rand.IntN(12))
		}
		f.mu.Unlock()
	}
}
