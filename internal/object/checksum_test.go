package object

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func randomBytes(rng *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func sumOf(a Algorithm, b []byte) string {
	h := a.hash()
	h.Write(b)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// TestKnownChecksums compares with the check values in the catalog of CRCs.
func TestKnownChecksums(t *testing.T) {
	t.Parallel()
	for a, want := range map[Algorithm]string{
		CRC32: "y/Q5Jg==", CRC32C: "4waSgw==", CRC64NVME: "rosUhgp5mIg=",
	} {
		if got := sumOf(a, []byte("123456789")); got != want {
			t.Errorf("%s: %s, want %s", a, got, want)
		}
	}
}

func TestCRCsOfPartsMakeThatOfTheWhole(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, a := range []Algorithm{CRC32, CRC32C, CRC64NVME} {
		for range 50 {
			whole := randomBytes(rng, rng.IntN(5000))
			var parts []part
			for rest := whole; len(rest) > 0; {
				n := 1 + rng.IntN(len(rest))
				parts = append(parts, part{Size: int64(n), Checksum: sumOf(a, rest[:n])})
				rest = rest[n:]
			}
			got, err := fullObject(a, parts)
			if err != nil {
				t.Fatal(err)
			}
			if want := sumOf(a, whole); len(parts) > 0 && got.Value != want {
				t.Errorf("%s of %d bytes in %d parts: %s, want %s", a, len(whole), len(parts), got.Value, want)
			}
		}
	}
}

func TestRangesOfObjectsInParts(t *testing.T) {
	t.Parallel()
	w := openWorld(t, vfs.NewMem(), nil)
	w.create(t, "bucket")
	rng := rand.New(rand.NewPCG(3, 4))
	u, err := w.StartUpload(t.Context(), Upload{Bucket: "bucket", Key: "k", Algorithm: CRC32, Type: FullObject})
	if err != nil {
		t.Fatal(err)
	}
	var whole []byte
	c := Completion{Upload: u}
	for n, size := range []int{minPartBytes, minPartBytes + 1, 100, 0} {
		body := randomBytes(rng, size)
		if n == 2 { // only the last one may be short
			if _, err := w.WritePart(t.Context(), u, 50, bytes.NewReader(body), Expected{Size: 100}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		p, err := w.WritePart(t.Context(), u, 3*n+1, bytes.NewReader(body), Expected{Size: int64(size)})
		if err != nil {
			t.Fatal(err)
		}
		c.Parts = append(c.Parts, p)
		whole = append(whole, body...)
	}
	o, err := w.CompleteUpload(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if o.Size != int64(len(whole)) || o.Checksum.Value != sumOf(CRC32, whole) {
		t.Errorf("completed: %+v", o)
	}
	content, err := w.Get(t.Context(), "bucket", "k")
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	for range 200 {
		offset := rng.IntN(len(whole) + 1)
		if rng.IntN(2) == 0 {
			offset = min(max(minPartBytes-5+rng.IntN(10), 0), len(whole))
		}
		length := rng.IntN(min(len(whole)-offset, 100_000) + 1)
		r := content.Range(int64(offset), int64(length))
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, whole[offset:offset+length]) {
			t.Fatalf("%d bytes from %d: got %d bytes, %v", length, offset, len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWhatIsSentIsCompared(t *testing.T) {
	t.Parallel()
	w := openWorld(t, vfs.NewMem(), nil)
	w.create(t, "bucket")
	const body = "123456789"
	value := func(s string) func() (string, error) { return func() (string, error) { return s, nil } }
	for i, test := range []struct {
		want Expected
		code Code
	}{
		{Expected{Size: -1}, ""},
		{Expected{Size: 9}, ""},
		{Expected{Size: 8}, IncompleteBody},
		{Expected{Size: 9, MD5: make([]byte, 16)}, BadDigest},
		{Expected{Size: 9, SHA256: make([]byte, 32)}, SHA256Mismatch},
		{Expected{Size: 9, Algorithm: CRC32}, ""},
		{Expected{Size: 9, Algorithm: CRC32, Value: value("y/Q5Jg==")}, ""},
		{Expected{Size: 9, Algorithm: CRC32, Value: value("")}, BadDigest},
		{Expected{Size: 9, Algorithm: CRC32, Value: value("AAAAAA==")}, BadDigest},
		{Expected{Size: 9, Algorithm: "CRC7"}, InvalidRequest},
	} {
		key := fmt.Sprint(i)
		_, err := w.Write(t.Context(), Put{Bucket: "bucket", Key: key, Body: bytes.NewReader([]byte(body)), Expected: test.want})
		if codeOf(err) != test.code {
			t.Errorf("%d: %v, want %q", i, err, test.code)
		}
		if _, err := w.Head(t.Context(), "bucket", key); (err == nil) != (test.code == "") {
			t.Errorf("%d: afterwards %v", i, err)
		}
	}
	if files := allFiles(t, w.fs); len(files) != 4 {
		t.Errorf("%d files for 4 objects", len(files))
	}
}
