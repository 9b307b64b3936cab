package object

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// world is an open store with buckets on a file system in memory.
type world struct {
	fs *vfs.MemFS
	db *store.DB
	*Buckets
}

func openWorld(t testing.TB, fs *vfs.MemFS, change func(*Config)) *world {
	t.Helper()
	// Its parents are there when a server opens a directory.
	if err := fs.MkdirAll("data/store", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"", "data"} {
		d, err := fs.OpenDir(dir)
		if err == nil {
			err = errors.Join(d.Sync(), d.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := store.Open("data/store", store.Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{DB: db, Identity: catalog.DefaultIdentity, Dir: "data/objects", FS: fs}
	if change != nil {
		change(&cfg)
	}
	b, err := Open(cfg)
	if err != nil {
		t.Fatal(err, db.Close())
	}
	w := &world{fs: fs, db: db, Buckets: b}
	t.Cleanup(w.close)
	return w
}

func (w *world) close() {
	_ = errors.Join(w.Buckets.Close(), w.db.Close()) // of a test that ends anyway
}

func (w *world) create(t testing.TB, bucket string) {
	t.Helper()
	if err := w.CreateBucket(context.Background(), bucket, "", nil); err != nil {
		t.Fatal(err)
	}
}

func (w *world) put(t testing.TB, bucket, key, body string) {
	t.Helper()
	if err := w.Put(context.Background(), bucket, key, strings.NewReader(body), Meta{}); err != nil {
		t.Fatalf("put %q: %v", key, err)
	}
}

func (w *world) read(t testing.TB, bucket, key string) string {
	t.Helper()
	c, err := w.Get(context.Background(), bucket, key)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	defer c.Close()
	body, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("read %q: %v", key, err)
	}
	return string(body)
}

func codeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func TestAnyKeyIsAnObjectAndNoPath(t *testing.T) {
	t.Parallel()
	w := openWorld(t, vfs.NewMem(), nil)
	w.create(t, "bucket")
	keys := []string{"a", "../../etc/passwd", "/", "//", "a//b", "a/../b", "dir/", ".", "..", "a\x00b", "a\x00", "ünï/ç", strings.Repeat("k", 1024), "C:\\x", "%2e%2e/"}
	for _, key := range keys {
		w.put(t, "bucket", key, "of "+key)
	}
	for _, key := range keys {
		if got := w.read(t, "bucket", key); got != "of "+key {
			t.Errorf("%q holds %q", key, got)
		}
	}
	names, err := w.fs.List("data/objects")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if name != "0" {
			t.Errorf("a key has become the file %q", name)
		}
	}
	for _, key := range []string{"", strings.Repeat("k", 1025), "\xff"} {
		if err := w.Put(t.Context(), "bucket", key, strings.NewReader(""), Meta{}); codeOf(err) == "" {
			t.Errorf("key %q: %v", key, err)
		}
	}
}

func TestReplacedBytesStayReadableAndThenGo(t *testing.T) {
	t.Parallel()
	w := openWorld(t, vfs.NewMem(), nil)
	w.create(t, "bucket")
	w.put(t, "bucket", "k", "old")
	c, err := w.Get(t.Context(), "bucket", "k")
	if err != nil {
		t.Fatal(err)
	}
	w.put(t, "bucket", "k", "new")
	if err := w.Delete(t.Context(), "bucket", []string{"k"}, Origin{}); err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(c); err != nil || string(body) != "old" {
		t.Errorf("read %q, %v after the deletion", body, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	w.close()
	w = openWorld(t, w.fs, nil)
	w.checkFiles(t, nil)
	if files := allFiles(t, w.fs); len(files) != 0 {
		t.Errorf("files are left: %v", files)
	}
}

// allFiles lists the files of objects.
func allFiles(t *testing.T, fs vfs.FS) (files []string) {
	t.Helper()
	folders, err := fs.List("data/objects")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		names, err := fs.List("data/objects/" + folder)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, names...)
	}
	return files
}

// TestReadersSeeWholeObjects replaces and deletes objects under their readers.
func TestReadersSeeWholeObjects(t *testing.T) {
	t.Parallel()
	w := openWorld(t, vfs.NewMem(), nil)
	w.create(t, "bucket")
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for i := range 4 {
		writers.Go(func() {
			for n := range 100 {
				key := fmt.Sprint("k", n%3)
				body := strings.Repeat(string(rune('a'+(i*7+n)%26)), 1000+n)
				switch n % 10 {
				case 3:
					if err := w.Delete(context.Background(), "bucket", []string{key}, Origin{}); err != nil {
						t.Error(err)
					}
				case 5:
					w.uploadInParts(t, "bucket", key, body)
				default:
					if err := w.Put(context.Background(), "bucket", key, strings.NewReader(body), Meta{}); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	for i := range 3 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				body, err := w.Buckets.Read(context.Background(), "bucket", fmt.Sprint("k", i), 1<<20)
				if err != nil && !errors.Is(err, ErrNoSuchKey) {
					t.Error(err)
					return
				}
				if len(body) > 0 && (len(body) < 1000 || bytes.Count(body, body[:1]) != len(body)) {
					t.Errorf("a mixture of %d bytes", len(body))
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}

func TestConditions(t *testing.T) {
	t.Parallel()
	w := openWorld(t, vfs.NewMem(), nil)
	w.create(t, "bucket")
	put := func(c Condition) error {
		_, err := w.Write(t.Context(), Put{Bucket: "bucket", Key: "k", Body: strings.NewReader("x"), Expected: Expected{Size: -1}, Condition: c})
		return err
	}
	const etag = "9dd4e461268c8034f5c8564e155c67a6"
	for _, step := range []struct {
		c    Condition
		want Code
	}{
		{Condition{IfMatch: "*"}, NoSuchKey},
		{Condition{IfNoneMatch: true}, ""},
		{Condition{IfNoneMatch: true}, PreconditionFailed},
		{Condition{IfMatch: etag}, ""},
		{Condition{IfMatch: "other"}, PreconditionFailed},
		{Condition{IfMatch: "*"}, ""},
	} {
		if err := put(step.c); codeOf(err) != step.want {
			t.Errorf("%+v: %v", step.c, err)
		}
	}
}

func TestListing(t *testing.T) {
	t.Parallel()
	w := openWorld(t, vfs.NewMem(), nil)
	w.create(t, "bucket")
	w.create(t, "bucket2")
	w.put(t, "bucket2", "elsewhere", "")
	for _, key := range []string{"a", "a/1", "a/2", "a/b/3", "b", "c//x", "c/y", "\xc3\xa9"} {
		w.put(t, "bucket", key, "")
	}
	for _, test := range []struct {
		q    Query
		want string
	}{
		{Query{Max: 1000}, "a a/1 a/2 a/b/3 b c//x c/y é | "},
		{Query{Max: 1000, Delimiter: "/"}, "a b é | a/ c/"},
		{Query{Max: 1000, Delimiter: "/", Prefix: "a/"}, "a/1 a/2 | a/b/"},
		{Query{Max: 1000, Delimiter: "/", Prefix: "c/"}, "c/y | c//"},
		{Query{Max: 1000, Delimiter: "b", Prefix: "a"}, "a a/1 a/2 | a/b"},
		{Query{Max: 2, Delimiter: "/"}, "a | a/ > a/"},
		{Query{Max: 2, Delimiter: "/", After: "a/"}, "b | c/ > c/"},
		{Query{Max: 2, Delimiter: "/", After: "c/"}, "é | "},
		{Query{Max: 3, After: "a/1"}, "a/2 a/b/3 b |  > b"},
		{Query{Max: 9, Prefix: "b", After: "a"}, "b | "},
		{Query{Max: 9, Prefix: "a/", After: "z"}, " | "},
		{Query{Max: 9, Prefix: "nothing"}, " | "},
	} {
		page, err := w.List(t.Context(), "bucket", test.q)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, o := range page.Objects {
			keys = append(keys, o.Key)
		}
		got := strings.Join(keys, " ") + " | " + strings.Join(page.Prefixes, " ")
		if page.Next != "" {
			got += " > " + page.Next
		}
		if got != test.want {
			t.Errorf("%+v:\n got %s\nwant %s", test.q, got, test.want)
		}
	}
}

func TestBucketsGoOnlyWhenEmpty(t *testing.T) {
	t.Parallel()
	w := openWorld(t, vfs.NewMem(), nil)
	for _, name := range []string{"a", "A-b", "a..b", "-ab", "192.168.0.1", "a_b", strings.Repeat("a", 64), "xn--abc", "../x"} {
		if err := w.CreateBucket(t.Context(), name, "", nil); codeOf(err) != InvalidBucketName {
			t.Errorf("%q: %v", name, err)
		}
	}
	w.create(t, "bucket")
	if err := w.CreateBucket(t.Context(), "bucket", "", nil); codeOf(err) != BucketExists {
		t.Errorf("again: %v", err)
	}
	w.put(t, "bucket", "k", "v")
	if err := w.DeleteBucket(t.Context(), "bucket"); codeOf(err) != BucketNotEmpty {
		t.Errorf("delete: %v", err)
	}
	if err := w.Delete(t.Context(), "bucket", []string{"k", "k", "other"}, Origin{}); err != nil {
		t.Fatal(err)
	}
	u, err := w.StartUpload(t.Context(), Upload{Bucket: "bucket", Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WritePart(t.Context(), u, 1, strings.NewReader("x"), Expected{Size: 1}); err != nil {
		t.Fatal(err)
	}
	if err := w.DeleteBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Get(t.Context(), "bucket", "k"); !errors.Is(err, ErrNoSuchBucket) {
		t.Errorf("get: %v", err)
	}
	w.create(t, "bucket")
	if _, err := w.Upload(t.Context(), "bucket", "k", u.ID.String()); codeOf(err) != NoSuchUpload {
		t.Errorf("the upload is still there: %v", err)
	}
}

// TestCrash puts, replaces, deletes and uploads at random, crashes at a random
// moment, and looks for what was acknowledged.
func TestCrash(t *testing.T) {
	t.Parallel()
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			crash(t, seed)
		})
	}
}

func crash(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 1))
	fs := vfs.NewCrashableMem()
	w := openWorld(t, fs, nil)
	w.create(t, "bucket")
	acknowledged := map[string]string{} // "" is deleted
	for i := range 5 + rng.IntN(40) {
		key := fmt.Sprint("k", rng.IntN(6))
		body := fmt.Sprintf("%d-%s", i, strings.Repeat("x", rng.IntN(2000)))
		switch rng.IntN(5) {
		case 0:
			if err := w.Delete(t.Context(), "bucket", []string{key}, Origin{}); err != nil {
				t.Fatal(err)
			}
			acknowledged[key] = ""
		case 1:
			w.uploadInParts(t, "bucket", key, body)
			acknowledged[key] = body
		default:
			w.put(t, "bucket", key, body)
			acknowledged[key] = body
		}
	}
	// A body that is still being sent when the machine stops.
	stalled := make(chan struct{})
	resume := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.Put(context.Background(), "bucket", "half", io.MultiReader(strings.NewReader("half"), &gate{stalled, resume}), Meta{})
	}()
	<-stalled
	crashed := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	close(resume)
	<-ended
	w.close()

	w = openWorld(t, crashed, nil)
	for key, body := range acknowledged {
		if body == "" {
			if _, err := w.Head(t.Context(), "bucket", key); !errors.Is(err, ErrNoSuchKey) {
				t.Errorf("%s was deleted: %v", key, err)
			}
			continue
		}
		if got := w.read(t, "bucket", key); got != body {
			t.Errorf("%s holds %.20q, want %.20q", key, got, body)
		}
	}
	if _, err := w.Head(t.Context(), "bucket", "half"); !errors.Is(err, ErrNoSuchKey) {
		t.Errorf("half an object: %v", err)
	}
	w.checkFiles(t, acknowledged)
}

// checkFiles makes sure that every file belongs to an object.
func (w *world) checkFiles(t *testing.T, objects map[string]string) {
	t.Helper()
	if err := w.Buckets.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.sweeper.remove(w.sweeper.take()); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for key, body := range objects {
		o, _, err := w.lookup("bucket", key)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := w.partsOf(o.Content)
		if err != nil {
			t.Fatal(err)
		}
		if body == "" {
			continue
		}
		known[o.Content.String()] = true
		for _, p := range parts {
			known[p.File.String()] = true
		}
	}
	for _, name := range allFiles(t, w.fs) {
		if !known[name] {
			t.Errorf("file %s belongs to nothing", name)
		}
	}
}

// gate stalls its reader once.
type gate struct{ stalled, resume chan struct{} }

func (g *gate) Read([]byte) (int, error) {
	close(g.stalled)
	<-g.resume
	return 0, io.EOF
}

// uploadInParts uploads a body as the only part, after one that is not used.
func (w *world) uploadInParts(t testing.TB, bucket, key, body string) Object {
	t.Helper()
	ctx := context.Background()
	u, err := w.StartUpload(ctx, Upload{Bucket: bucket, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WritePart(ctx, u, 2, strings.NewReader("not used"), Expected{Size: -1}); err != nil {
		t.Fatal(err)
	}
	p, err := w.WritePart(ctx, u, 7, bytes.NewReader([]byte(body)), Expected{Size: -1})
	if err != nil {
		t.Fatal(err)
	}
	o, err := w.CompleteUpload(ctx, Completion{Upload: u, Parts: []Part{p}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestSameErrorEveryTime(t *testing.T) {
	t.Parallel()
	for range 30 {
		var err *Error
		if !errors.As(checkTags(map[string]string{strings.Repeat("b", 129): "", strings.Repeat("a", 129): ""}, maxBucketTags), &err) || err.Details[0].Value[:1] != "a" {
			t.Fatal("not the first of the wrong keys:", err)
		}
	}
}
