package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"
	"github.com/google/uuid"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const (
	putBatch = 500
	// putBatchBytes keeps a request well under the API's 10 MiB.
	putBatchBytes = 4 << 20
	maxLine       = 10 << 20
	// putLinger is how long a record of a slow input waits for company.
	putLinger = 50 * time.Millisecond
)

type putOptions struct {
	stream, file, partitionKey string
	rate                       float64
	loop                       bool
}

func putCommand(a *app) *cobra.Command {
	var o putOptions
	c := &cobra.Command{
		Use:   "put STREAM [FILE]",
		Short: "Put JSON lines into a stream",
		Long: `Put reads lines from FILE, or from standard input without one, and puts each as a
record into STREAM. Empty lines are skipped.`,
		Example: `  weir put web-analytics events.jsonl --partition-key visitor
  tail -f access.jsonl | weir put web-analytics --partition-key random
  weir put web-analytics events.jsonl --rate 1000 --loop`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return exactArgs("STREAM")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.stream = args[0]
			if len(args) == 2 {
				o.file = args[1]
			}
			return a.put(c.Context(), o)
		},
	}
	c.Flags().StringVar(&o.partitionKey, "partition-key", "random", "path of the field to use as partition key (a.b.c), or 'random'")
	c.Flags().Float64Var(&o.rate, "rate", 0, "records per second; 0 is as fast as possible")
	c.Flags().BoolVar(&o.loop, "loop", false, "start over at the end of FILE, until interrupted")
	return c
}

// putter sends records in batches.
type putter struct {
	app     *app
	client  *kinesis.Client
	o       putOptions
	batch   []types.PutRecordsRequestEntry
	bytes   int
	sent    int
	started time.Time
	bar     *progressbar.ProgressBar
}

func (a *app) put(ctx context.Context, o putOptions) error {
	if o.loop && o.file == "" {
		return usageError{fmt.Errorf("--loop needs a FILE")}
	}
	if o.rate < 0 {
		return usageError{fmt.Errorf("--rate %v is negative", o.rate)}
	}
	p := &putter{app: a, client: kinesis.NewFromConfig(a.awsConfig()), o: o, started: time.Now()}
	p.bar = a.progress(o)
	err := p.run(ctx)
	_ = p.bar.Finish() // only draws
	if ctx.Err() != nil {
		err = nil // interrupting an endless put is how it ends
	}
	if err != nil {
		if err = a.explain(err); p.sent > 0 {
			err = fmt.Errorf("%w (%d records were put before)", err, p.sent)
		}
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"Stream": o.stream, "Records": p.sent, "Seconds": time.Since(p.started).Seconds()})
	}
	_, err = fmt.Fprintf(a.out, "%d records put into %s\n", p.sent, o.stream)
	return err
}

func (a *app) progress(o putOptions) *progressbar.ProgressBar {
	f, ok := a.err.(*os.File)
	if a.json || !ok || !term.IsTerminal(int(f.Fd())) {
		return progressbar.DefaultSilent(-1)
	}
	total := int64(-1)
	if info, err := os.Stat(o.file); err == nil && !o.loop && info.Mode().IsRegular() {
		total = info.Size()
	}
	return progressbar.NewOptions64(total, progressbar.OptionSetWriter(a.err), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription("put "+o.stream), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
}

func (p *putter) run(ctx context.Context) error {
	for {
		if err := p.runOnce(ctx); err != nil || !p.o.loop {
			return err
		}
	}
}

func (p *putter) runOnce(ctx context.Context) error {
	in := io.ReadCloser(os.Stdin)
	if p.o.file != "" {
		f, err := os.Open(p.o.file)
		if err != nil {
			return err
		}
		in = f
	}
	defer in.Close()
	lines := make(chan []byte, putBatch)
	read := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		read <- readLines(ctx, in, lines)
		close(lines)
	}()
	number := 0
	for {
		line, open, err := p.next(ctx, lines)
		if err != nil {
			return err
		}
		if !open {
			if err := p.flush(ctx); err != nil {
				return err
			}
			if err = <-read; errors.Is(err, bufio.ErrTooLong) {
				err = fmt.Errorf("%s:%d: the line is longer than the %d MiB that a record can have", inputName(p.o.file), number+1, maxLine>>20)
			}
			return err
		}
		if number++; len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if err := p.add(ctx, line, number); err != nil {
			return err
		}
	}
}

// next returns the next line. When none is there yet, what is in hand is sent
// after a short wait, so that a slow input is not held back.
func (p *putter) next(ctx context.Context, lines <-chan []byte) (line []byte, open bool, err error) {
	select {
	case line, open = <-lines:
		return line, open, nil
	default:
	}
	linger := time.NewTimer(putLinger)
	defer linger.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case line, open = <-lines:
			return line, open, nil
		case <-linger.C:
			if err := p.flush(ctx); err != nil {
				return nil, false, err
			}
		}
	}
}

func readLines(ctx context.Context, in io.Reader, lines chan<- []byte) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, 64<<10), maxLine)
	for s.Scan() {
		select {
		case lines <- bytes.Clone(s.Bytes()):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.Err()
}

func (p *putter) add(ctx context.Context, line []byte, number int) error {
	key, err := partitionKey(p.o.partitionKey, line)
	if err != nil {
		return fmt.Errorf("%s:%d: %w", inputName(p.o.file), number, err)
	}
	if len(p.batch) == putBatch || p.bytes+len(line)+len(key) > putBatchBytes && len(p.batch) > 0 {
		if err := p.flush(ctx); err != nil {
			return err
		}
	}
	p.batch = append(p.batch, types.PutRecordsRequestEntry{Data: line, PartitionKey: &key})
	p.bytes += len(line) + len(key)
	_ = p.bar.Add(len(line) + 1) // only draws
	return p.pace(ctx)
}

func inputName(file string) string {
	if file == "" {
		return "standard input"
	}
	return file
}

// pace waits until the next record is due.
func (p *putter) pace(ctx context.Context) error {
	if p.o.rate == 0 {
		return nil
	}
	due := p.started.Add(time.Duration(float64(p.sent+len(p.batch)) / p.o.rate * float64(time.Second)))
	wait := time.Until(due)
	if wait < 10*time.Millisecond {
		return nil
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// flush puts the batch, and again what the stream had no capacity for.
func (p *putter) flush(ctx context.Context) error {
	for attempt := 0; len(p.batch) > 0; attempt++ {
		out, err := p.client.PutRecords(ctx, &kinesis.PutRecordsInput{StreamName: &p.o.stream, Records: p.batch})
		if err != nil {
			return err
		}
		var refused []types.PutRecordsRequestEntry
		var why string
		for i, r := range out.Records {
			if r.ErrorCode != nil {
				refused = append(refused, p.batch[i])
				why = aws.ToString(r.ErrorCode) + ": " + aws.ToString(r.ErrorMessage)
			}
		}
		p.sent += len(p.batch) - len(refused)
		p.batch = append(p.batch[:0], refused...)
		if len(refused) > 0 && attempt == 20 {
			return fmt.Errorf("%d records were refused again and again: %s", len(refused), why)
		}
		if len(refused) > 0 {
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	p.bytes = 0
	return nil
}

// partitionKey returns the value at a field path of a JSON line, or a random key.
func partitionKey(path string, line []byte) (string, error) {
	if path == "random" {
		return uuid.NewString(), nil
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", fmt.Errorf("not JSON, so it has no field %q: %w", path, err)
	}
	for _, name := range strings.Split(path, ".") {
		object, ok := v.(map[string]any)
		if !ok {
			return "", fmt.Errorf("no field %q for the partition key", path)
		}
		v = object[name]
	}
	switch v := v.(type) {
	case string:
		if v != "" {
			return v, nil
		}
	case json.Number, bool:
		return fmt.Sprint(v), nil
	}
	return "", fmt.Errorf("field %q is missing, empty, or not a plain value, so it cannot be the partition key", path)
}
