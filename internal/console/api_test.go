package console

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func get(c *Console, method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	c.ServeHTTP(w, httptest.NewRequest(method, Prefix+path, strings.NewReader(body)))
	return w
}

func TestData(t *testing.T) {
	t.Parallel()
	f := newFake(time.Date(2026, 5, 20, 20, 0, 0, 0, time.UTC))
	f.put("page view", time.Date(2026, 5, 20, 20, 4, 0, 0, time.UTC), 7)
	f.put("page view", time.Date(2026, 5, 20, 19, 4, 0, 0, time.UTC), 5)
	f.put("error", time.Date(2026, 5, 20, 19, 4, 0, 0, time.UTC), 2)
	f.invoke("count-events", f.started, 3, "", "hello")
	c := New(f.config())
	defer c.Close()
	const hours = `{"start":1779300000,"end":1779310800,"queries":[{"id":"a","namespace":"EventCounter","metric":"page view","statistic":"Sum","period":3600}]}`
	for _, tc := range []struct {
		request, body string
		status        int
		want          string // in the answer
	}{
		{"GET api/tables/event-counters/items", "", 200, `{"EventCount":{"N":"2"},"EventHour":{"S":"2026-05-20T19:00:00"},"EventName":{"S":"error"}}`},
		{"GET api/tables/event-counters/items?limit=2", "", 200, `"next":"2"`},
		{"GET api/tables/event-counters/items?limit=2&start=2", "", 200, `"EventHour":{"S":"2026-05-20T20:00:00"}`},
		{"GET api/tables/event-counters/items?hash=page+view&op=begins_with&range=2026-05-20T20", "", 200, `{"items":[{"EventCount":{"N":"7"}`},
		{"GET api/tables/event-counters/items?hash=none", "", 200, `{"items":[]}`},
		{"GET api/tables/event-counters/items?limit=0", "", 400, `limit must be a number from 1 to 200`},
		{"GET api/tables/event-counters/items?hash=a&op=like&range=b", "", 400, `unknown comparison \"like\"`},
		{"GET api/tables/event-counters/items?op==&range=b", "", 400, `only be asked for under a hash key`},
		{"GET api/tables/none/items", "", 404, `{"error":"table \"none\": not found"}`},
		{"GET api/tables/a%2Fb/items", "", 404, `table \"a/b\"`},
		{"GET api/functions/count-events/log", "", 200, `"message":"hello"`},
		{"GET api/functions/count-events/log?before=1", "", 200, `[]`},
		{"GET api/functions/none/log", "", 404, `not found`},
		{"GET api/dashboards/web-analytics", "", 200, `{"name":"web-analytics","body":"{\"start\"`},
		{"GET api/dashboards/none", "", 404, `not found`},
		{"GET api/alarms/too-many-errors/history", "", 200, `Alarm updated from INSUFFICIENT_DATA to ALARM`},
		{"GET api/alarms/none/history", "", 404, `not found`},
		{"GET api/status", "", 200, `"functions":[{"name":"count-events"`},
		{"GET api/mappings/9f2b6f0c-1f0e-4b7e-9a55-6c1f6c0a4d11/shards", "", 200, `"activity":"retrying"`},
		{"GET api/mappings/none/shards", "", 404, `{"error":"mapping none: not found"}`},
		{"GET api/stacks/web-analytics", "", 200, `"logicalId":"EventStream"`},
		{"GET api/stacks/web-analytics", "", 200, `"export":"web-analytics-counters","importedBy":["reports"]`},
		{"GET api/stacks/none", "", 404, `not found`},
		{"GET api/mail", "", 200, `"total":2`},
		{"GET api/mail?limit=1", "", 200, `"next":"2"`},
		{"GET api/mail/1", "", 200, `Action=ConfirmSubscription`},
		{"GET api/mail/9", "", 404, `not found`},
		{"POST api/metrics", hours, 200, `"times":[1779303600,1779307200],"values":[5,7]`},
		{"POST api/metrics", `{`, 400, `invalid request`},
		{"POST api/metrics", `{"start":2,"end":1}`, 400, `start must be before end`},
		{"POST api/metrics", `{"start":1,"end":2,"queries":[]}`, 400, `between 1 and 500 queries`},
		{"POST api/metrics", `{"start":1,"end":2,"queries":[{"id":"a"}]}`, 400, `has no period`},
		{"POST api/metrics", `{"start":0,"end":9000000,"queries":[{"id":"a","period":1}]}`, 400, `more than 10000 points`},
		{"POST api/metrics", `{"start":1` + strings.Repeat(" ", maxRequestBytes), 400, `longer than`},
		{"GET api/metrics", "", 404, `not found`},
		{"GET api/nothing", "", 404, `not found`},
		{"POST api/mail", "", 405, ``},
		{"DELETE api/mail/1", "", 405, ``},
	} {
		method, path, _ := strings.Cut(tc.request, " ")
		w := get(c, method, path, tc.body)
		if w.Code != tc.status || !strings.Contains(w.Body.String(), tc.want) {
			t.Errorf("%s: %d %s\nwant %d with %s", tc.request, w.Code, w.Body, tc.status, tc.want)
		}
		if w.Code == http.StatusOK && w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be cached", tc.request)
		}
	}
}

func TestPartsThatAreNotThere(t *testing.T) {
	t.Parallel()
	c := New(Config{})
	defer c.Close()
	for _, path := range []string{"tables/a/items", "functions/a/log", "dashboards/a", "alarms/a/history", "stacks/a", "mail", "mail/a"} {
		if w := get(c, http.MethodGet, "api/"+path, ""); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if w := get(c, http.MethodPost, "api/metrics", "{}"); w.Code != http.StatusNotFound {
		t.Errorf("metrics: %d %s", w.Code, w.Body)
	}
}

// broken is an outbox with an error that is nobody's business.
type broken struct{ err error }

func (b broken) Mails(context.Context, string, int) (MailPage, error) { return MailPage{}, b.err }

func (b broken) Mail(context.Context, string) (MailDetail, error) { return MailDetail{}, b.err }

func TestInternalErrorsAreLoggedAndNotShown(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := New(Config{Outbox: broken{errors.New("secret path /x")}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	w := get(c, http.MethodGet, "api/mail/1", "")
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if !strings.Contains(log.String(), "secret path") {
		t.Errorf("not logged: %s", &log)
	}
}

func TestUnencodablePointsAreLeftOut(t *testing.T) {
	t.Parallel()
	r := MetricResult{Times: []int64{1, 2, 3, 4}, Values: []float64{math.NaN(), 5, math.Inf(1), 6}}
	dropUnencodable(&r)
	if len(r.Times) != 2 || r.Times[0] != 2 || r.Values[1] != 6 {
		t.Errorf("%+v", r)
	}
}

func FuzzReadQueries(f *testing.F) {
	f.Add(`{"start":1779300000,"end":1779310800,"queries":[{"id":"a","namespace":"N","metric":"m","period":60}]}`)
	f.Add(`{"start":-9223372036854775808,"end":9223372036854775807,"queries":[{"id":"a","period":1}]}`)
	f.Add(`{"queries":[null]}`)
	f.Fuzz(func(t *testing.T, body string) {
		q, err := readQueries(strings.NewReader(body))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("error without a class: %v", err)
			}
			return
		}
		for _, one := range q.Queries {
			if points := (float64(q.End) - float64(q.Start)) / float64(one.Period); points > maxQueryPoints+1 {
				t.Errorf("%v points were let through", points)
			}
		}
	})
}
