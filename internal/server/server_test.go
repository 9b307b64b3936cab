package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

func start(t *testing.T, dir string) *Server {
	t.Helper()
	s, err := Open(Config{Listen: "127.0.0.1:0", DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestRestartKeepsStreams(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	s := start(t, dir)
	client := func(s *Server) *kinesis.Client {
		return kinesis.New(kinesis.Options{
			BaseEndpoint: aws.String(s.Endpoint()), Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""),
		})
	}
	ctx := context.Background()
	if _, err := client(s).CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String("s"), ShardCount: aws.Int32(1)}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	elsewhere := catalog.Identity{Partition: "aws", Region: "eu-west-1", Account: "111122223333"}
	if _, err := Open(Config{Listen: "127.0.0.1:0", DataDir: dir, Identity: elsewhere}); err == nil ||
		!strings.Contains(err.Error(), "start with --region us-east-1 --account 000000000000") {
		t.Errorf("in another region: %v", err)
	}
	s = start(t, dir)
	out, err := client(s).DescribeStreamSummary(ctx, &kinesis.DescribeStreamSummaryInput{StreamName: aws.String("s")})
	if err != nil || *out.StreamDescriptionSummary.OpenShardCount != 1 {
		t.Errorf("after the restart: %+v, %v", out, err)
	}
}

func TestCloseEndsWaitingRequests(t *testing.T) {
	t.Parallel()
	s := start(t, filepath.Join(t.TempDir(), "data"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Endpoint()+"/_weir/console/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = io.Copy(io.Discard, resp.Body) // how it ends does not matter
	}()
	begin := time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	<-ended
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("Close took %v with an event stream open", took)
	}
}

func TestRefusesToListenBeyondLoopback(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:80", "example.com:80"} {
		_, err := Open(Config{Listen: address, DataDir: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), "loopback") {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"nonsense", "127.0.0.1"} {
		if _, err := Open(Config{Listen: address, DataDir: t.TempDir()}); err == nil {
			t.Errorf("%s was accepted", address)
		}
	}
}

func TestSecondServerOnADirectoryIsRefused(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	start(t, dir)
	if _, err := Open(Config{Listen: "127.0.0.1:0", DataDir: dir}); err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("got %v", err)
	}
}

func TestObjectsWithoutTheirStoreAreKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	if err := start(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, storeFolder)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Config{Listen: "127.0.0.1:0", DataDir: dir}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("got %v", err)
	}
}
