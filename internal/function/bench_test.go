package function

import (
	"context"
	"strings"
	"testing"
)

// BenchmarkInvoke measures one warm invocation of a Go function after the other.
func BenchmarkInvoke(b *testing.B) {
	for name, payload := range map[string][]byte{
		"small":    eventFor("echo"),
		"1000x200": eventFor("length", strings.Repeat("r", 270_000)),
	} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			w.create("echo")
			w.invoke("echo", "echo")
			b.SetBytes(int64(len(payload)))
			for b.Loop() {
				if _, err := w.Invoke(context.Background(), Invocation{Function: "echo", Payload: payload}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
