// Command handler is a function for tests: its event says what it does.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do   string
	N    int
	Text string
}

var keep [][]byte

type handler struct{}

func main() {
	if text := os.Getenv("PRINT_AT_START"); text != "" {
		fmt.Println(text)
	}
	if os.Getenv("EXIT_AT_START") != "" {
		os.Exit(3)
	}
	lambda.Start(handler{})
}

// Invoke returns bytes as they are, so that it can return what is not JSON.
func (handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, err
	}
	switch e.Do {
	case "fail":
		return nil, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "hang":
		fmt.Println("before hanging")
		time.Sleep(time.Hour)
	case "exit":
		fmt.Print("before exiting")
		os.Exit(e.N)
	case "sleep":
		time.Sleep(time.Duration(e.N) * time.Millisecond)
	case "print":
		line := strings.Repeat("x", 99) + "\n"
		for range e.N {
			fmt.Print(line)
		}
	case "say":
		fmt.Print(e.Text)
	case "raw":
		return []byte(e.Text), nil
	case "big":
		return []byte(`"` + strings.Repeat("y", e.N) + `"`), nil
	case "length":
		return json.Marshal(len(payload))
	case "pid":
		return json.Marshal(os.Getpid())
	case "env":
		return json.Marshal(os.Environ())
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return json.Marshal(map[string]any{"context": lc, "left": time.Until(deadline).Milliseconds()})
	case "child":
		cmd := exec.Command("sleep", "3600")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: e.N == 1}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		return json.Marshal(cmd.Process.Pid)
	case "grow":
		for range e.N {
			keep = append(keep, bytes.Repeat([]byte{1}, 1<<20))
			time.Sleep(5 * time.Millisecond)
		}
	}
	return payload, nil
}
