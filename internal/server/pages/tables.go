package pages

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weirstream/weir/internal/console"
	"github.com/weirstream/weir/internal/meter"
	"github.com/weirstream/weir/internal/table"
	"github.com/weirstream/weir/internal/table/expr"
)

type tables struct{ Domains }

// operations that read and that write, as the table's metrics name them.
var (
	readOperations  = []string{"GetItem", "Query", "Scan", "BatchGetItem"}
	writeOperations = []string{"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem"}
)

func (t tables) Tables(context.Context) ([]console.Table, error) {
	var out []console.Table
	for after := ""; ; {
		names, more := t.Domains.Tables.ListTables(after, 100)
		for _, name := range names {
			d, err := t.Domains.Tables.DescribeTable(name)
			if err != nil {
				continue // deleted meanwhile
			}
			out = append(out, t.table(d))
			after = name
		}
		if !more {
			return out, nil
		}
	}
}

func (t tables) table(d table.Description) console.Table {
	out := console.Table{
		Name: d.Name, ARN: d.ARN, Status: string(d.Status), Items: d.Items, Bytes: d.Bytes, Created: d.Created,
		HashKey: console.KeyAttribute{Name: d.Key[0].Name, Type: d.Key[0].Type},
		Reads:   t.requests(d.Name, readOperations), Writes: t.requests(d.Name, writeOperations),
	}
	if len(d.Key) > 1 {
		out.RangeKey = &console.KeyAttribute{Name: d.Key[1].Name, Type: d.Key[1].Type}
	}
	if d.StreamEnabled {
		out.StreamView = string(d.View)
	}
	return out
}

func (t tables) requests(name string, operations []string) (n float64) {
	for _, op := range operations {
		n += t.count("AWS/DynamoDB", "SuccessfulRequestLatency", "Milliseconds",
			meter.Dimension{Name: "TableName", Value: name}, meter.Dimension{Name: "Operation", Value: op})
	}
	return n
}

func (t tables) Items(_ context.Context, q console.ItemQuery) (console.ItemPage, error) {
	d, err := t.Domains.Tables.DescribeTable(q.Table)
	if err != nil {
		return console.ItemPage{}, itemError(err)
	}
	start, err := startKey(q.Start)
	if err != nil {
		return console.ItemPage{}, err
	}
	var page table.Page
	if q.Hash == "" {
		page, err = t.Domains.Tables.Scan(&table.ScanRequest{Table: q.Table, Start: start, HasStart: q.Start != "", Limit: q.Limit})
	} else {
		var r *table.QueryRequest
		if r, err = queryRequest(d, q); err != nil {
			return console.ItemPage{}, err
		}
		r.Start, r.HasStart = start, q.Start != ""
		page, err = t.Domains.Tables.Query(r)
	}
	if err != nil {
		return console.ItemPage{}, itemError(err)
	}
	out := console.ItemPage{Items: make([]json.RawMessage, len(page.Items))}
	for i, item := range page.Items {
		out.Items[i] = table.AppendItemJSON(nil, item)
	}
	if !page.Last.Empty() {
		out.Next = encodeKey(table.AppendItemJSON(nil, page.Last))
	}
	return out, nil
}

func itemError(err error) error {
	var missing *table.NotFoundError
	var invalid *table.InvalidError
	switch {
	case errors.As(err, &missing):
		return fmt.Errorf("%w: %w", console.ErrNotFound, err)
	case errors.As(err, &invalid):
		return fmt.Errorf("%w: %w", console.ErrInvalid, err)
	}
	return err
}

func startKey(s string) (table.Item, error) {
	if s == "" {
		return table.Item{}, nil
	}
	doc, err := decodeKey(s)
	if err != nil {
		return table.Item{}, err
	}
	key, err := table.ParseItemJSON(doc)
	if err != nil {
		return table.Item{}, fmt.Errorf("%w: bad start key", console.ErrInvalid)
	}
	return key, nil
}

// queryRequest asks for the items under one hash key, as an application would.
func queryRequest(d table.Description, q console.ItemQuery) (*table.QueryRequest, error) {
	condition := "#h = :h"
	names := []expr.Name{{Placeholder: "#h", Name: d.Key[0].Name}}
	hash, err := keyValue(d.Key[0].Type, q.Hash)
	if err != nil {
		return nil, err
	}
	values := []expr.Value{{Placeholder: ":h", Value: hash}}
	if q.RangeOp != "" {
		if len(d.Key) < 2 {
			return nil, fmt.Errorf("%w: table %s has no range key", console.ErrInvalid, d.Name)
		}
		value, err := keyValue(d.Key[1].Type, q.Range)
		if err != nil {
			return nil, err
		}
		names = append(names, expr.Name{Placeholder: "#r", Name: d.Key[1].Name})
		values = append(values, expr.Value{Placeholder: ":r", Value: value})
		condition += " AND "
		if q.RangeOp == "begins_with" {
			condition += "begins_with(#r, :r)"
		} else {
			condition += "#r " + q.RangeOp + " :r"
		}
	}
	r := &table.QueryRequest{Table: q.Table, Limit: q.Limit, Backward: q.Descending}
	r.KeyCondition = &condition
	r.Names, r.Values = names, values
	return r, nil
}

// keyValue makes a key value of what was typed: a string, a number, or binary in
// base64.
func keyValue(kind, text string) (table.Value, error) {
	quoted, err := json.Marshal(text)
	if err != nil {
		return table.Value{}, err
	}
	doc := `{"v":{"` + kind + `":` + string(quoted) + `}}`
	item, err := table.ParseItemJSON([]byte(doc))
	if err != nil {
		return table.Value{}, fmt.Errorf("%w: %q is no key of type %s: %w", console.ErrInvalid, text, kind, err)
	}
	return item.Get("v"), nil
}

// encodeKey and decodeKey carry the key of an item through a URL.
func encodeKey(doc []byte) string { return base64.RawURLEncoding.EncodeToString(doc) }

func decodeKey(s string) (json.RawMessage, error) {
	doc, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("%w: bad start key", console.ErrInvalid)
	}
	return doc, nil
}
