// Command numbers does what reader.py does, in Go.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
)

// event is what both kinds of sources send.
type event struct {
	Records []struct {
		Kinesis *events.KinesisRecord        `json:"kinesis"`
		Change  *events.DynamoDBStreamRecord `json:"dynamodb"`
	} `json:"Records"`
	events.TimeWindowProperties
}

// result says which records failed or, in a window, what its state is.
type result struct {
	State    map[string]string                `json:"state,omitempty"`
	Failures []events.KinesisBatchItemFailure `json:"batchItemFailures"`
}

// seen is what a function prints of an invocation.
type seen struct {
	Numbers []int `json:"numbers"`
	*events.TimeWindowProperties
}

func main() { lambda.Start(handle) }

func handle(_ context.Context, e event) (result, error) {
	saw := seen{Numbers: []int{}}
	inWindow := e.Window != (events.Window{})
	if inWindow {
		saw.TimeWindowProperties = &e.TimeWindowProperties
	}
	ids := make([]string, len(e.Records))
	sum := 0
	for i, r := range e.Records {
		text := ""
		if r.Kinesis != nil {
			text, ids[i] = string(r.Kinesis.Data), r.Kinesis.SequenceNumber
		} else {
			text, ids[i] = r.Change.NewImage["number"].Number(), r.Change.SequenceNumber
		}
		n, err := strconv.Atoi(text)
		if err != nil {
			return result{}, err
		}
		sum += n
		saw.Numbers = append(saw.Numbers, n)
	}
	line, err := json.Marshal(saw)
	if err != nil {
		return result{}, err
	}
	fmt.Printf("numbers %s\n", line)
	if inWindow {
		before, _ := strconv.Atoi(e.State["sum"]) // none at first
		return result{State: map[string]string{"sum": strconv.Itoa(before + sum)}}, nil
	}
	failing := strings.Fields(os.Getenv("FAILING"))
	for i, n := range saw.Numbers {
		for _, f := range failing {
			if i > 0 && f == strconv.Itoa(n) {
				return result{Failures: []events.KinesisBatchItemFailure{{ItemIdentifier: ids[i]}}}, nil
			}
		}
	}
	return result{}, nil
}
