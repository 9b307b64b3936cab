package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// call makes one request outside of what is measured: in is marshalled as the
// body and out, if not nil, filled from the answer.
func (s *server) call(ctx context.Context, p protocol, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return send(ctx, s.addrOf(p), operation, p.post(operation, body), out)
}

// callREST is call for a service that is addressed by path.
func (s *server) callREST(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	return send(ctx, s.addr, method+" "+path, rest("lambda", method, path, body), out)
}

const callTimeout = time.Minute

func send(ctx context.Context, addr, what string, request []byte, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	c := conn{addr: addr}
	defer c.close()
	resp, err := c.do(ctx, request)
	if err != nil {
		return fmt.Errorf("%s: %w", what, cause(ctx, err))
	}
	if err := checkStatus(resp); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(resp.body, out); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// object is a JSON object of a request.
type object = map[string]any

// onStop registers what removes a thing that a scenario has created.
func (s *server) onStop(ctx context.Context, remove func(ctx context.Context)) {
	s.undo = append(s.undo, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
		defer cancel()
		remove(ctx)
	})
}

// createStream creates a stream, waits until it can be used and returns its ARN.
func (s *server) createStream(ctx context.Context, name string, shards int) (arn string, err error) {
	if err := s.call(ctx, kinesisJSON, "CreateStream", object{"StreamName": name, "ShardCount": shards}, nil); err != nil {
		return "", err
	}
	s.onStop(ctx, func(ctx context.Context) {
		_ = s.call(ctx, kinesisJSON, "DeleteStream", object{"StreamName": name}, nil)
	})
	var out struct {
		StreamDescriptionSummary struct{ StreamStatus, StreamARN string }
	}
	err = await(ctx, "stream "+name, func() (bool, error) {
		err := s.call(ctx, kinesisJSON, "DescribeStreamSummary", object{"StreamName": name}, &out)
		return out.StreamDescriptionSummary.StreamStatus == "ACTIVE", err
	})
	return out.StreamDescriptionSummary.StreamARN, err
}

// createTable creates a table with the hash key EventName and waits until it can
// be used.
func (s *server) createTable(ctx context.Context, name string) error {
	err := s.call(ctx, dynamodbJSON, "CreateTable", object{
		"TableName": name, "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []object{{"AttributeName": "EventName", "AttributeType": "S"}},
		"KeySchema":            []object{{"AttributeName": "EventName", "KeyType": "HASH"}},
	}, nil)
	if err != nil {
		return err
	}
	s.onStop(ctx, func(ctx context.Context) {
		_ = s.call(ctx, dynamodbJSON, "DeleteTable", object{"TableName": name}, nil)
	})
	return await(ctx, "table "+name, func() (bool, error) {
		var out struct{ Table struct{ TableStatus string } }
		err := s.call(ctx, dynamodbJSON, "DescribeTable", object{"TableName": name}, &out)
		return out.Table.TableStatus == "ACTIVE", err
	})
}

// createFunction creates a function from a zip file and waits until it can be
// invoked.
func (s *server) createFunction(ctx context.Context, name string, l language, zip []byte, variables, tags map[string]string) error {
	if s.host != nil {
		return s.host.create(name, l, variables)
	}
	const path = "/2015-03-31/functions"
	err := s.callREST(ctx, "POST", path, object{
		"FunctionName": name, "Runtime": l.runtime, "Handler": l.handler, "Tags": tags,
		"Role": "arn:aws:iam::000000000000:role/bench", "Code": object{"ZipFile": zip},
		"Environment": object{"Variables": variables}, "Timeout": 60, "MemorySize": 512,
	}, nil)
	if err != nil {
		return err
	}
	s.onStop(ctx, func(ctx context.Context) { _ = s.callREST(ctx, "DELETE", path+"/"+name, nil, nil) })
	return await(ctx, "function "+name, func() (bool, error) {
		var out struct{ State string }
		err := s.callREST(ctx, "GET", path+"/"+name+"/configuration", nil, &out)
		return out.State == "Active", err
	})
}

// createMapping maps a stream to a function from its oldest record on, and returns
// without waiting until the mapping works.
func (s *server) createMapping(ctx context.Context, streamARN, function string, batch int) (uuid string, err error) {
	if s.host != nil {
		return s.host.mapTo(ctx, streamARN, function, batch)
	}
	var out struct{ UUID string }
	err = s.callREST(ctx, "POST", mappingsPath, object{
		"EventSourceArn": streamARN, "FunctionName": function, "BatchSize": batch, "StartingPosition": "TRIM_HORIZON",
	}, &out)
	if err != nil {
		return "", err
	}
	s.onStop(ctx, func(ctx context.Context) { s.deleteMapping(ctx, out.UUID) })
	return out.UUID, nil
}

const mappingsPath = "/2015-03-31/event-source-mappings"

// deleteMapping deletes a mapping, if it is still there.
func (s *server) deleteMapping(ctx context.Context, uuid string) {
	if s.host != nil {
		s.host.unmap(uuid)
		return
	}
	_ = s.callREST(ctx, "DELETE", mappingsPath+"/"+uuid, nil, nil)
}

// await asks until the answer is yes, for at most callTimeout.
func await(ctx context.Context, what string, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	for {
		ok, err := ask()
		if ok || err != nil {
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		}
	}
}
