package pattern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// benchRecord is a web event of about 300 bytes, as producers put it.
const benchRecord = `{"event":"page view","utc_timestamp":"2015-05-17T10:05:03","user":{"id":48213,"country":"DE","premium":false},` +
	`"request":{"method":"GET","path":"/articles/2015/kinesis","status":200,"bytes":17423,"ms":12.75},` +
	`"agent":"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101","tags":["web","blog"],"session":"b6f1c0de"}`

func benchMatch(b *testing.B, d Dialect, text string, event []byte, want bool) {
	p, err := Compile([]byte(text), d)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		if p.Match(event) != want {
			b.Fatal("wrong answer")
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	record := []byte(benchRecord)
	b.Run("equal", func(b *testing.B) { benchMatch(b, Lambda, `{"event":["page view"]}`, record, true) })
	b.Run("and", func(b *testing.B) {
		benchMatch(b, Lambda, `{"event":[{"anything-but":["error"]}],"user":{"country":["DE","AT"]},"request":{"status":[{"numeric":[">=",200,"<",300]}],"path":[{"prefix":"/articles/"}]}}`, record, true)
	})
	b.Run("or", func(b *testing.B) {
		benchMatch(b, EventBridge, `{"event":["page view"],"$or":[{"request":{"method":["POST"]}},{"user":{"premium":[true]}},{"tags":["shop"]},{"session":[{"exists":false}]}]}`, record, false)
	})
	b.Run("wildcard", func(b *testing.B) {
		benchMatch(b, EventBridge, `{"agent":[{"wildcard":"Mozilla*Linux*Gecko*"}]}`, record, true)
	})
	b.Run("objects", func(b *testing.B) {
		event := []byte(`{"items":[` + strings.Repeat(`{"k":"a","v":1},`, 40) + `{"k":"b","v":2}]}`)
		benchMatch(b, EventBridge, `{"items":{"k":["b"],"v":[2]}}`, event, true)
	})
}

// BenchmarkFilters matches the records of a stream with five filters.
func BenchmarkFilters(b *testing.B) {
	var texts []string
	for i := range 5 {
		texts = append(texts, fmt.Sprintf(`{"data":{"event":["e%d"],"user":{"country":["DE"]}}}`, i))
	}
	f, err := CompileFilters(texts, Stream)
	if err != nil {
		b.Fatal(err)
	}
	record := []byte(benchRecord)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		if f.MatchData(record, nil) {
			b.Fatal("wrong answer")
		}
	}
}

func BenchmarkAttributes(b *testing.B) {
	p, err := Compile([]byte(`{"store":["shop"],"price":[{"numeric":[">",10]}]}`), MessageAttributes)
	if err != nil {
		b.Fatal(err)
	}
	attributes := []Attribute{{Name: "store", Type: "String", Value: "shop"}, {Name: "price", Type: "Number", Value: "12"}}
	b.ReportAllocs()
	for b.Loop() {
		if !p.MatchAttributes(attributes) {
			b.Fatal("wrong answer")
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	text := []byte(`{"data":{"event":[{"anything-but":["error"]}],"user":{"country":["DE","AT"]},"request":{"status":[{"numeric":[">=",200]}]}}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(text, Lambda); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnmarshal is what a filter on decoded values would pay before it
// begins.
func BenchmarkUnmarshal(b *testing.B) {
	record := []byte(benchRecord)
	b.SetBytes(int64(len(record)))
	b.ReportAllocs()
	for b.Loop() {
		var v any
		if json.NewDecoder(bytes.NewReader(record)).Decode(&v) != nil {
			b.Fatal("not JSON")
		}
	}
}
