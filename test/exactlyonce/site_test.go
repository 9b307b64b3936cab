package exactlyonce

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	webanalytics "github.com/weirstream/weir/examples/web-analytics"
	"github.com/weirstream/weir/examples/web-analytics/replay"
)

const (
	root         = "../.."
	flakyPercent = "30"
	changedItems = 4
)

// site is a server with the example and a function that changes shared items.
type site struct {
	t       *testing.T
	tagged  bool
	dir     string
	address string
	cmd     *exec.Cmd

	events0 []replay.Event // to be put
	shift   time.Duration
	// lossy does not repeat what failed.
	lossy    *kinesis.Client
	kinesis  *kinesis.Client
	dynamodb *dynamodb.Client
	metric   *cloudwatch.Client
	sqs      *sqs.Client
}

func newSite(t *testing.T, tagged bool) *site {
	t.Helper()
	s := &site{t: t, tagged: tagged, dir: t.TempDir(), address: freeAddress(t)}
	text, err := webanalytics.Events()
	s.must(err)
	s.events0, err = replay.Read(text)
	s.must(err)
	s.shift = replay.Shift(s.events0, time.Now())
	cfg := aws.Config{
		BaseEndpoint: aws.String("http://" + s.address), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""),
		HTTPClient:  &http.Client{Timeout: 20 * time.Second},
	}
	s.kinesis, s.dynamodb = kinesis.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
	s.metric, s.sqs = cloudwatch.NewFromConfig(cfg), sqs.NewFromConfig(cfg)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	s.lossy = kinesis.NewFromConfig(cfg)
	s.start()
	t.Cleanup(func() {
		if s.cmd != nil {
			s.kill()
		}
	})
	s.deploy()
	return s
}

// freeAddress returns an address with a port that nobody gets by chance while the
// server is down.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprint("127.0.0.1:", 20_000+rand.IntN(10_000))
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatal("no port is free")
	return ""
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// start starts the server. For a moment a process that the killed one was just
// starting may still have its port, so it is tried again.
func (s *site) start() {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		said, ok := s.tryStart()
		if ok {
			return
		}
		if s.kill(); time.Now().After(deadline) {
			s.t.Fatalf("server said %q", said)
		}
	}
}

func (s *site) tryStart() (said string, ok bool) {
	s.t.Helper()
	s.cmd = exec.Command(os.Getenv(binEnv), "up", "--listen", s.address, "--data-dir", filepath.Join(s.dir, "data"), "--log-level", "error") // #nosec G204 G702 -- the binary under test
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	s.must(err)
	s.must(s.cmd.Start())
	said, err = bufio.NewReader(out).ReadString('\n')
	return said, err == nil && strings.HasPrefix(said, "ready ")
}

func (s *site) kill() {
	_ = s.cmd.Process.Kill() // it may have ended by itself, which start reports
	_ = s.cmd.Wait()         // reports the signal
	s.cmd = nil
}

// deploy makes the stacks, of functions that fail.
func (s *site) deploy() {
	s.t.Helper()
	text, err := webanalytics.Files.ReadFile(webanalytics.Template)
	s.must(err)
	tags := ""
	if s.tagged {
		tags = "\n    Tags: {weir:delivery: exactly-once}"
	}
	global := "    Timeout: 1\n    Environment: {Variables: {FLAKY_PERCENT: " + flakyPercent + "}}" + tags
	replaced := strings.NewReplacer("    Metadata:\n      BuildMethod: go1.x\n", "", "    Timeout: 60", global).Replace(string(text))
	path := filepath.Join(s.dir, "web-analytics", "template.yaml")
	for _, name := range []string{"count-events", "publish-metrics"} {
		s.build("examples/web-analytics/"+name, filepath.Join(s.dir, "web-analytics", name))
	}
	s.must(os.WriteFile(path, []byte(replaced), 0o600))
	s.weir("deploy", path, "--stack-name", "web-analytics")

	s.build("test/exactlyonce/changes", filepath.Join(s.dir, "changes", "changes"))
	path = filepath.Join(s.dir, "changes", "template.yaml")
	s.must(os.WriteFile(path, []byte(strings.Replace(changesTemplate, "    Timeout: 60", global, 1)), 0o600))
	s.weir("deploy", path, "--stack-name", "changes")
	_, err = s.sqs.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: aws.String("changed")})
	s.must(err)
}

const changesTemplate = `AWSTemplateFormatVersion: 2010-09-09
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: provided.al2023
    Handler: bootstrap
    Timeout: 60
Resources:
  Changes: {Type: AWS::Kinesis::Stream, Properties: {Name: changes, ShardCount: 2}}
  Changed: {Type: AWS::Kinesis::Stream, Properties: {Name: changed, ShardCount: 2}}
  Items:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: changed
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Change:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: changes
      CodeUri: changes/
      Events:
        Stream:
          Type: Kinesis
          Properties: {Stream: !GetAtt Changes.Arn, StartingPosition: TRIM_HORIZON, BatchSize: 20}
`

// build builds the function of a package with what makes it fail.
func (s *site) build(pkg, dir string) {
	s.t.Helper()
	for name, pkg := range map[string]string{"function": pkg, "bootstrap": "test/exactlyonce/flaky"} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, name), "./"+pkg) // #nosec G204 -- fixed packages
		cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
		if msg, err := cmd.CombinedOutput(); err != nil {
			s.t.Fatalf("build %s: %v\n%s", pkg, err, msg)
		}
	}
}

func (s *site) weir(args ...string) {
	s.t.Helper()
	cmd := exec.Command(os.Getenv(binEnv), append(args, "--endpoint", "http://"+s.address)...) // #nosec G204 G702 -- the binary under test
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("weir %v: %v\n%s", args, err, out)
	}
}

// produce puts events and changes until ctx ends or the server does.
func (s *site) produce(ctx context.Context) {
	for ctx.Err() == nil {
		events := make([]kinesistypes.PutRecordsRequestEntry, 10+rand.IntN(40))
		for i := range events {
			e := s.events0[rand.IntN(len(s.events0))]
			events[i] = kinesistypes.PutRecordsRequestEntry{Data: e.Data(s.shift), PartitionKey: aws.String(e.Visitor)}
		}
		changes := make([]kinesistypes.PutRecordsRequestEntry, 1+rand.IntN(3))
		for i := range changes {
			changes[i] = kinesistypes.PutRecordsRequestEntry{
				Data: fmt.Appendf(nil, "item-%d", rand.IntN(changedItems)), PartitionKey: aws.String(fmt.Sprint(rand.Int())),
			}
		}
		for name, recs := range map[string][]kinesistypes.PutRecordsRequestEntry{"web-analytics": events, "changes": changes} {
			if _, err := s.lossy.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &name, Records: recs}); err != nil {
				return
			}
		}
		time.Sleep(30 * time.Millisecond)
	}
}

// putLast puts a record with a name of its own to each shard, and returns the names.
func (s *site) putLast() (names []string) {
	s.t.Helper()
	for i, hash := range []string{"0", "340282366920938463463374607431768211455"} {
		name := fmt.Sprintf("last-%d", i)
		names = append(names, name)
		event := fmt.Sprintf(`{"event":%q,"utc_timestamp":%q}`, name, time.Now().UTC().Format("2006-01-02T15:04:05"))
		for stream, data := range map[string]string{"web-analytics": event, "changes": name} {
			_, err := s.kinesis.PutRecord(context.Background(), &kinesis.PutRecordInput{
				StreamName: &stream, PartitionKey: &name, ExplicitHashKey: &hash, Data: []byte(data),
			})
			s.must(err)
		}
	}
	return names
}

// transactions is what the server tells of exactly-once invocations.
func (s *site) transactions() string {
	resp, err := http.Get("http://" + s.address + "/_weir/metrics")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<20)) // only for the message
	var lines []string
	for line := range strings.Lines(string(body)) {
		if strings.Contains(strings.ToLower(line), "exactly") && !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return "since the last start: " + strings.Join(lines, " ")
}
