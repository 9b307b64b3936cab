package s3api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/object"
	"github.com/weirstream/weir/internal/store"
)

// BenchmarkObjects writes and reads objects over HTTP, on disk.
func BenchmarkObjects(b *testing.B) {
	dir := b.TempDir()
	db, err := store.Open(dir+"/store", store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	buckets, err := object.Open(object.Config{DB: db, Identity: catalog.DefaultIdentity, Dir: dir + "/objects"})
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(New(buckets, nil))
	b.Cleanup(func() {
		server.Close()
		if err := errors.Join(buckets.Close(), db.Close()); err != nil {
			b.Error(err)
		}
	})
	if err := buckets.CreateBucket(b.Context(), "bucket", "", nil); err != nil {
		b.Fatal(err)
	}
	call := func(b *testing.B, method, key string, body []byte) {
		r, err := http.NewRequestWithContext(b.Context(), method, server.URL+"/bucket/"+key, bytes.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		defer answer.Body.Close()
		if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
			b.Fatal(answer.Status, err)
		}
	}
	for _, size := range []int{1 << 10, 64 << 20} {
		body := make([]byte, size)
		b.Run(fmt.Sprintf("put/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for i := 0; b.Loop(); i++ {
				call(b, http.MethodPut, fmt.Sprint(size, "-", i%4), body)
			}
		})
		b.Run(fmt.Sprintf("get/%d", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				call(b, http.MethodGet, fmt.Sprint(size, "-", 0), nil)
			}
		})
	}
	b.Run("put/1024/many at a time", func(b *testing.B) {
		body := make([]byte, 1024)
		var n atomic.Int64
		b.SetParallelism(8) // times the processors
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				call(b, http.MethodPut, fmt.Sprint("p", n.Add(1)), body)
			}
		})
	})
}
