// Package crash kills the real server with SIGKILL while it is under load, again
// and again, and checks after every restart that nothing acknowledged is lost:
//
//   - every acknowledged record can be read, with the sequence number that was
//     promised;
//   - every acknowledged item is there;
//   - every counter is at least the sum of the acknowledged increments and at
//     most that of the attempted ones;
//   - in the end, every acknowledged record has had its effect through the
//     mapped function, so that no checkpoint was ever ahead of the effects.
package crash

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	kinesistypes "github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

const (
	// binEnv is the path of the program, killsEnv how often it is killed.
	binEnv       = "WEIR_BIN"
	killsEnv     = "WEIR_CRASH_KILLS"
	defaultKills = 5
	counterKeys  = 5
)

func TestKilledServerKeepsItsPromises(t *testing.T) {
	t.Parallel()
	if os.Getenv(binEnv) == "" {
		t.Skip(binEnv + " is not set; 'make acceptance' runs this test")
	}
	kills := defaultKills
	if s := os.Getenv(killsEnv); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s=%s: %v", killsEnv, s, err)
		}
		kills = n
	}
	c := newCluster(t)
	c.start()
	c.setup()
	for i := range kills {
		load, stop := context.WithCancel(context.Background())
		var writers sync.WaitGroup
		c.load(load, &writers)
		time.Sleep(time.Duration(100+rand.IntN(700)) * time.Millisecond)
		c.kill()
		stop()
		writers.Wait()
		c.start()
		c.check()
		if t.Failed() {
			t.Fatalf("after kill %d", i+1)
		}
	}
	c.waitForEffects()
	t.Logf("%d kills: %d records, %d items, %d increments acknowledged", kills, len(c.records), len(c.items), c.sumAcknowledged())
}

// cluster is a server on a fixed port and directory, and what it has promised.
type cluster struct {
	t        *testing.T
	bin, dir string
	address  string
	cmd      *exec.Cmd
	kinesis  *kinesis.Client
	dynamodb *dynamodb.Client
	lambda   *lambda.Client
	// The load's clients do not repeat what failed: it may have been written.
	once struct {
		kinesis  *kinesis.Client
		dynamodb *dynamodb.Client
	}

	mu           sync.Mutex
	next         int
	records      map[string]string // data -> shard and sequence number
	items        map[string]bool
	acknowledged [counterKeys]int
	attempted    [counterKeys]int
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{t: t, dir: filepath.Join(t.TempDir(), "data"), address: listener.Addr().String(), records: map[string]string{}, items: map[string]bool{}}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	c.bin = os.Getenv(binEnv)
	cfg := aws.Config{
		BaseEndpoint: aws.String("http://" + c.address), Region: "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""),
		HTTPClient:  &http.Client{Timeout: 10 * time.Second},
	}
	c.kinesis, c.dynamodb, c.lambda = kinesis.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg), lambda.NewFromConfig(cfg)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	c.once.kinesis, c.once.dynamodb = kinesis.NewFromConfig(cfg), dynamodb.NewFromConfig(cfg)
	t.Cleanup(func() {
		if c.cmd != nil {
			c.kill()
		}
	})
	return c
}

func build(t *testing.T, out, pkg string) {
	t.Helper()
	cmd := exec.Command("go", "build", "-o", out, pkg) // #nosec G204 -- fixed packages
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, msg)
	}
}

func (c *cluster) start() {
	c.t.Helper()
	c.cmd = exec.Command(c.bin, "up", "--listen", c.address, "--data-dir", c.dir, "--log-level", "error") // #nosec G204 -- the binary under test
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		c.t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "ready ") {
		c.t.Fatalf("server said %q, %v", line, err)
	}
}

func (c *cluster) kill() {
	_ = c.cmd.Process.Kill() // it may have ended by itself, which check reports
	_ = c.cmd.Wait()         // reports the signal
	c.cmd = nil
}

func (c *cluster) setup() {
	c.t.Helper()
	ctx := context.Background()
	_, err := c.kinesis.CreateStream(ctx, &kinesis.CreateStreamInput{StreamName: aws.String("s"), ShardCount: aws.Int32(2)})
	c.must(err)
	for _, name := range []string{"effects", "items"} {
		_, err = c.dynamodb.CreateTable(ctx, &dynamodb.CreateTableInput{
			TableName: &name, BillingMode: dynamodbtypes.BillingModePayPerRequest,
			KeySchema:            []dynamodbtypes.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: dynamodbtypes.KeyTypeHash}},
			AttributeDefinitions: []dynamodbtypes.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: dynamodbtypes.ScalarAttributeTypeS}},
		})
		c.must(err)
		c.must(dynamodb.NewTableExistsWaiter(c.dynamodb).Wait(ctx, &dynamodb.DescribeTableInput{TableName: &name}, time.Minute))
	}
	_, err = c.lambda.CreateFunction(ctx, &lambda.CreateFunctionInput{
		FunctionName: aws.String("effects"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String("arn:aws:iam::000000000000:role/r"), Timeout: aws.Int32(30), Code: &lambdatypes.FunctionCode{ZipFile: c.functionZip()},
	})
	c.must(err)
	_, err = c.lambda.CreateEventSourceMapping(ctx, &lambda.CreateEventSourceMappingInput{
		FunctionName: aws.String("effects"), EventSourceArn: aws.String("arn:aws:kinesis:us-east-1:000000000000:stream/s"),
		StartingPosition: lambdatypes.EventSourcePositionTrimHorizon, BatchSize: aws.Int32(100),
	})
	c.must(err)
}

func (c *cluster) functionZip() []byte {
	c.t.Helper()
	path := filepath.Join(c.t.TempDir(), "bootstrap")
	build(c.t, path, "github.com/weirstream/weir/test/crash/effects")
	program, err := os.ReadFile(path) // #nosec G304 -- just built
	c.must(err)
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	c.must(err)
	_, err = w.Write(program)
	c.must(err)
	c.must(z.Close())
	return buf.Bytes()
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// load writes until the server dies or ctx ends, and remembers what was
// acknowledged.
func (c *cluster) load(ctx context.Context, writers *sync.WaitGroup) {
	for range 2 {
		writers.Go(func() { c.repeat(ctx, c.putRecords) })
	}
	for range 3 {
		writers.Go(func() { c.repeat(ctx, c.putItem) })
		writers.Go(func() { c.repeat(ctx, c.increment) })
	}
}

// repeat calls f until it fails, which it does when the server is killed.
func (c *cluster) repeat(ctx context.Context, f func(context.Context) error) {
	for ctx.Err() == nil {
		if f(ctx) != nil {
			return
		}
	}
}

func (c *cluster) id() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	return strconv.Itoa(c.next)
}

func (c *cluster) putRecords(ctx context.Context) error {
	entries := make([]kinesistypes.PutRecordsRequestEntry, 1+rand.IntN(20))
	for i := range entries {
		id := c.id()
		entries[i] = kinesistypes.PutRecordsRequestEntry{Data: []byte(id), PartitionKey: &id}
	}
	out, err := c.once.kinesis.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: aws.String("s"), Records: entries})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, r := range out.Records {
		c.records[string(entries[i].Data)] = *r.ShardId + " " + *r.SequenceNumber
	}
	return nil
}

func (c *cluster) putItem(ctx context.Context) error {
	id := "item-" + c.id()
	_, err := c.once.dynamodb.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("items"), Item: map[string]dynamodbtypes.AttributeValue{
		"id": &dynamodbtypes.AttributeValueMemberS{Value: id},
	}})
	if err == nil {
		c.mu.Lock()
		c.items[id] = true
		c.mu.Unlock()
	}
	return err
}

func (c *cluster) increment(ctx context.Context) error {
	key := rand.IntN(counterKeys)
	c.mu.Lock()
	c.attempted[key]++
	c.mu.Unlock()
	_, err := c.once.dynamodb.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 aws.String("items"),
		Key:                       map[string]dynamodbtypes.AttributeValue{"id": &dynamodbtypes.AttributeValueMemberS{Value: counterName(key)}},
		UpdateExpression:          aws.String("ADD n :one"),
		ExpressionAttributeValues: map[string]dynamodbtypes.AttributeValue{":one": &dynamodbtypes.AttributeValueMemberN{Value: "1"}},
	})
	if err == nil {
		c.mu.Lock()
		c.acknowledged[key]++
		c.mu.Unlock()
	}
	return err
}

func counterName(key int) string { return fmt.Sprintf("counter-%d", key) }

func (c *cluster) sumAcknowledged() (sum int) {
	for _, n := range c.acknowledged {
		sum += n
	}
	return sum
}

func (c *cluster) check() {
	c.t.Helper()
	c.checkRecords()
	found := c.scan("items")
	for id := range c.items {
		if _, ok := found[id]; !ok {
			c.t.Errorf("acknowledged item %s is lost", id)
		}
	}
	for key := range counterKeys {
		if n := found[counterName(key)]; n < c.acknowledged[key] || n > c.attempted[key] {
			c.t.Errorf("%s is %d, with %d increments acknowledged and %d attempted", counterName(key), n, c.acknowledged[key], c.attempted[key])
		}
	}
}

// checkRecords reads all shards from their beginning.
func (c *cluster) checkRecords() {
	c.t.Helper()
	ctx := context.Background()
	found := map[string]string{}
	for _, shard := range []string{"shardId-000000000000", "shardId-000000000001"} {
		it, err := c.kinesis.GetShardIterator(ctx, &kinesis.GetShardIteratorInput{StreamName: aws.String("s"), ShardId: &shard, ShardIteratorType: kinesistypes.ShardIteratorTypeTrimHorizon})
		c.must(err)
		next, last := it.ShardIterator, ""
		for {
			out, err := c.kinesis.GetRecords(ctx, &kinesis.GetRecordsInput{ShardIterator: next})
			c.must(err)
			for _, r := range out.Records {
				if *r.SequenceNumber <= last {
					c.t.Errorf("sequence number %s follows %s", *r.SequenceNumber, last)
				}
				last = *r.SequenceNumber
				found[string(r.Data)] = shard + " " + last
			}
			if *out.MillisBehindLatest == 0 {
				break
			}
			next = out.NextShardIterator
		}
	}
	for data, place := range c.records {
		if found[data] != place {
			c.t.Errorf("record %s was acknowledged at %q and is at %q", data, place, found[data])
		}
	}
}

// scan returns the value of n of every item, by id.
func (c *cluster) scan(table string) map[string]int {
	c.t.Helper()
	found := map[string]int{}
	pages := dynamodb.NewScanPaginator(c.dynamodb, &dynamodb.ScanInput{TableName: &table, ConsistentRead: aws.Bool(true)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		c.must(err)
		for _, item := range page.Items {
			id, ok := item["id"].(*dynamodbtypes.AttributeValueMemberS)
			if !ok {
				c.t.Fatalf("item without id: %v", item)
			}
			n := 0
			if v, ok := item["n"].(*dynamodbtypes.AttributeValueMemberN); ok {
				n, _ = strconv.Atoi(v.Value)
			}
			found[id.Value] = n
		}
	}
	return found
}

// waitForEffects waits until every acknowledged record has had its effect, as
// long as effects are added.
func (c *cluster) waitForEffects() {
	c.t.Helper()
	var deadline time.Time
	for before := -1; ; {
		found := c.scan("effects")
		if len(found) > before {
			before, deadline = len(found), time.Now().Add(30*time.Second)
		}
		missing := ""
		for data := range c.records {
			if found[data] < 1 {
				missing = data
				break
			}
		}
		if missing == "" {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("record %s was acknowledged and never had an effect\n%s", missing, c.functionLog())
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (c *cluster) functionLog() string {
	resp, err := http.Get("http://" + c.address + "/_weir/metrics")
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<20)) // only for the message
	return string(body)
}
