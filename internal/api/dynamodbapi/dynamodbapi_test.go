package dynamodbapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table"
)

// newHandler serves tables of its own. With general, hot operations have no fast path.
func newHandler(t testing.TB, general bool) *api.Handler {
	t.Helper()
	db, err := store.Open("data", store.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	logs, err := stream.NewLogs(db)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := table.Open(table.Config{DB: db, Identity: catalog.DefaultIdentity, Logs: logs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(tables.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	svc := New(tables)
	if general {
		for i, o := range svc.Operations {
			svc.Operations[i] = o.WithFast(nil)
		}
	}
	h, err := api.NewHandler(api.Config{Services: []*api.Service{svc, NewStreams(tables, "us-east-1")}, Identity: catalog.DefaultIdentity})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// newRequest makes a request to an operation, such as Streams.GetRecords or PutItem.
func newRequest(op, body string) *http.Request {
	target := "DynamoDB_20120810." + op
	if name, ok := strings.CutPrefix(op, "Streams."); ok {
		target = "DynamoDBStreams_20120810." + name
	}
	req := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	req.Header.Set("X-Amz-Target", target)
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=b")
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	return req
}

// call sends a request and checks the checksum of the response.
func call(t testing.TB, h http.Handler, op, body string) (status int, response string) {
	t.Helper()
	req := newRequest(op, body)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	res := w.Result()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if sum := res.Header.Get("X-Amz-Crc32"); sum != strconv.FormatUint(uint64(crc32.ChecksumIEEE(b)), 10) {
		t.Errorf("checksum of %s is %s", b, sum)
	}
	return res.StatusCode, string(b)
}

// TestScripts sends the requests of the test files: the directive is the operation,
// the input the body. What differs from run to run is replaced.
func TestScripts(t *testing.T) {
	t.Parallel()
	for _, general := range []bool{false, true} {
		datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
			if strings.Contains(path, "fuzz") {
				return
			}
			h := newHandler(t, general)
			known := map[string]string{}
			datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
				body := d.Input
				for _, name := range slices.Sorted(maps.Keys(known)) {
					body = strings.ReplaceAll(body, "$"+name, known[name])
				}
				status, res := call(t, h, d.Cmd, body)
				var doc any
				if err := json.Unmarshal([]byte(res), &doc); err != nil {
					return strconv.Itoa(status) + " " + res + "\n"
				}
				stabilize(doc, known)
				out, err := json.MarshalIndent(doc, "", " ")
				if err != nil {
					t.Fatal(err)
				}
				text := string(out)
				if label := known["LatestStreamLabel"]; label != "" {
					text = strings.ReplaceAll(text, label, "$LatestStreamLabel")
				}
				return strconv.Itoa(status) + " " + text + "\n"
			})
		})
	}
}

// unstable are the members whose values differ from run to run. The requests that
// follow can refer to the last value of each.
var unstable = []string{
	"CreationDateTime", "TableId", "LatestStreamArn", "LatestStreamLabel", "LastUpdateToPayPerRequestDateTime", "LastIncreaseDateTime",
	"StreamArn", "StreamLabel", "CreationRequestDateTime", "ShardId", "ShardIterator", "NextShardIterator", "eventID", "ApproximateCreationDateTime",
}

func stabilize(doc any, known map[string]string) {
	switch doc := doc.(type) {
	case map[string]any:
		for k, v := range doc {
			if !slices.Contains(unstable, k) {
				stabilize(v, known)
				continue
			}
			if s, ok := v.(string); ok {
				known[k] = s
			}
			doc[k] = "$" + k
		}
	case []any:
		for _, v := range doc {
			stabilize(v, known)
		}
	}
}

func TestBatchLimits(t *testing.T) {
	t.Parallel()
	h := newHandler(t, false)
	for _, name := range []string{"tab", "two"} {
		if status, res := call(t, h, "CreateTable", strings.Replace(createTab, "tab", name, 1)); status != http.StatusOK {
			t.Fatal(res)
		}
	}
	list := func(n int, format string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(all, ",")
	}
	const key = `{"pk":{"S":"a"},"sk":{"N":"%d"}}`
	const put = `{"PutRequest":{"Item":` + key + `}}`
	for _, c := range []struct{ op, body, want string }{
		{"BatchGetItem", `{"RequestItems":{"tab":{"Keys":[` + list(100, key) + `]}}}`, ""},
		{"BatchGetItem", `{"RequestItems":{"tab":{"Keys":[` + list(101, key) + `]}}}`, "Member must have length less than or equal to 100"},
		{"BatchGetItem", `{"RequestItems":{"tab":{"Keys":[` + list(60, key) + `]},"two":{"Keys":[` + list(41, key) + `]}}}`, "Too many items requested for the BatchGetItem call"},
		{"BatchWriteItem", `{"RequestItems":{"tab":[` + list(25, put) + `]}}`, ""},
		{"BatchWriteItem", `{"RequestItems":{"tab":[` + list(26, put) + `]}}`, "Member must have length less than or equal to 25"},
		{"BatchWriteItem", `{"RequestItems":{"tab":[` + list(20, put) + `],"two":[` + list(6, put) + `]}}`, "Too many items requested for the BatchWriteItem call"},
		{"BatchWriteItem", `{}`, "Value null at 'requestItems' failed to satisfy constraint: Member must not be null"},
		{"BatchWriteItem", `{"RequestItems":{"tab":[]}}`, "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]"},
		{"BatchWriteItem", `{"RequestItems":{"ab":[` + list(1, put) + `]}}`, "Map keys must satisfy constraint: "},
	} {
		status, res := call(t, h, c.op, c.body)
		if (status == http.StatusOK) != (c.want == "") || !strings.Contains(res, c.want) {
			t.Errorf("%s %.60s...: %d %s", c.op, c.body, status, res)
		}
	}
}

const createTab = `{"TableName":"tab","BillingMode":"PAY_PER_REQUEST","AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"N"}],` +
	`"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}]}`

// hotOperations have a fast path.
var hotOperations = []string{"PutItem", "GetItem", "UpdateItem", "DeleteItem", "Query", "Scan"}

// FuzzFast holds the fast paths against the general one: two servers, of which only
// one has them, get the same requests and must answer the same.
func FuzzFast(f *testing.F) {
	for op, bodies := range map[int][]string{
		0: {
			`{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"N":"1"},"x":{"L":[{"NULL":true},{"M":{"y":{"BS":["AQ=="]}}}]}},"ReturnValues":"ALL_OLD"}`,
			`{"TableName":"tab","Item":{"pk":{"S":"a"},"sk":{"N":"1"}},"ConditionExpression":"attribute_not_exists(#p)","ExpressionAttributeNames":{"#p":"pk"},"ReturnValuesOnConditionCheckFailure":"ALL_OLD"}`,
			`{"TableName":"gone","Item":{},"ReturnConsumedCapacity":"TOTAL","ReturnItemCollectionMetrics":"SIZE"}`,
		},
		1: {
			`{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1.0"}},"ConsistentRead":true,"ReturnConsumedCapacity":"INDEXES"}`,
			`{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ProjectionExpression":"#p, x[1].y","ExpressionAttributeNames":{"#p":"pk"}}`,
			`{"TableName":"tab","Key":{"pk":{"S":"a","N":"1"}},"AttributesToGet":["pk"]}`,
		},
		2: {
			`{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"UpdateExpression":"ADD n :n SET x = :l","ExpressionAttributeValues":{":n":{"N":"1"},":l":{"L":[]}},"ReturnValues":"UPDATED_NEW"}`,
			`{"TableName":"tab","Key":{"pk":{"S":"b"},"sk":{"N":"2"}},"AttributeUpdates":{"n":{"Action":"ADD","Value":{"N":"1"}}}}`,
			`{"TableName":"tab","Key":{"sk":{"N":"1"},"pk":{"S":"a"}},"UpdateExpression":"SET a = :x","ExpressionAttributeValues":{":x":{"S":"x"},":y":{"S":""}}}`,
		},
		3: {`{"TableName":"tab","Key":{"pk":{"S":"a"},"sk":{"N":"1"}},"ReturnValues":"ALL_OLD","ConditionExpression":"n > :n","ExpressionAttributeValues":{":n":{"N":"5"}}}`},
		4: {
			`{"TableName":"tab","KeyConditionExpression":"pk = :p AND sk > :s","ExpressionAttributeValues":{":p":{"S":"a"},":s":{"N":"0"}},"Limit":1,"ScanIndexForward":false,"FilterExpression":"attribute_exists(n)"}`,
			`{"TableName":"tab","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"a"}},"ExclusiveStartKey":{"pk":{"S":"a"},"sk":{"N":"0"}},"Select":"COUNT"}`,
		},
		5: {`{"TableName":"tab","Segment":0,"TotalSegments":2,"Limit":3}`, `{"TableName":"tab","FilterExpression":"n = :n","ExpressionAttributeValues":{":n":{"N":"1"}},"ProjectionExpression":"pk"}`},
	} {
		for _, body := range bodies {
			f.Add(op, []byte(body))
		}
	}
	fast, general := newHandler(f, false), newHandler(f, true)
	for _, h := range []*api.Handler{fast, general} {
		if status, res := call(f, h, "CreateTable", createTab); status != http.StatusOK {
			f.Fatal(res)
		}
	}
	f.Fuzz(func(t *testing.T, op int, body []byte) {
		name := hotOperations[uint(op)%uint(len(hotOperations))]
		status, res := call(t, fast, name, string(body))
		wantStatus, wantRes := call(t, general, name, string(body))
		if status != wantStatus || !sameDocument(res, wantRes) {
			t.Fatalf("%s %s\nfast    %d %s\ngeneral %d %s", name, body, status, res, wantStatus, wantRes)
		}
	})
}

func sameDocument(a, b string) bool {
	var x, y any
	if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
		return a == b
	}
	return reflect.DeepEqual(x, y)
}

var (
	benchPut    = `{"TableName":"tab","Item":{"pk":{"S":"page view"},"sk":{"N":"1"},"EventHour":{"S":"2015-05-17T10:00:00"},"EventCount":{"N":"12345"}}}`
	benchUpdate = `{"TableName":"tab","Key":{"pk":{"S":"page view"},"sk":{"N":"1"}},"UpdateExpression":"ADD EventCount :n","ExpressionAttributeValues":{":n":{"N":"1"}}}`
	benchGet    = `{"TableName":"tab","Key":{"pk":{"S":"page view"},"sk":{"N":"1"}},"ConsistentRead":true}`
	benchQuery  = `{"TableName":"tab","KeyConditionExpression":"pk = :p","ExpressionAttributeValues":{":p":{"S":"page view"}}}`
)

// discard is a client that reads nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkOperations shows what the fast paths save, on a store in memory.
func BenchmarkOperations(b *testing.B) {
	for _, general := range []bool{false, true} {
		h := newHandler(b, general)
		call(b, h, "CreateTable", createTab)
		for _, op := range []struct{ name, body string }{{"PutItem", benchPut}, {"UpdateItem", benchUpdate}, {"GetItem", benchGet}, {"Query", benchQuery}} {
			name := op.name + "/fast"
			if general {
				name = op.name + "/general"
			}
			b.Run(name, func(b *testing.B) {
				if status, res := call(b, h, op.name, op.body); status != http.StatusOK {
					b.Fatal(res)
				}
				body := strings.NewReader(op.body)
				req := newRequest(op.name, "")
				req.ContentLength = int64(len(op.body))
				w := &discard{http.Header{}}
				b.ReportAllocs()
				for b.Loop() {
					body.Reset(op.body)
					req.Body = io.NopCloser(body)
					h.ServeHTTP(w, req)
				}
			})
		}
	}
}

// TestSameErrorEveryTime sends requests with several wrong values.
func TestSameErrorEveryTime(t *testing.T) {
	t.Parallel()
	const wrong = `{"a":{"N":"a"},"b":{"S":"","N":"1"},"c":{"SS":[]},"d":{"NS":["x"]},"e":{"B":"?"},"f":{}}`
	const operators = `{"a":{"ComparisonOperator":"A"},"b":{"ComparisonOperator":"B"},"c":{},"d":{"ComparisonOperator":"D"}}`
	const values = `{"a":{"ComparisonOperator":"EQ"},"b":{"ComparisonOperator":"NULL","AttributeValueList":[{"S":"b"}]},"c":{"ComparisonOperator":"LT","AttributeValueList":[{"N":"c"}]},"d":{"ComparisonOperator":"BETWEEN","AttributeValueList":[]}}`
	for _, general := range []bool{false, true} {
		h := newHandler(t, general)
		table := `"TableName":"tab"`
		if status, answer := call(t, h, "CreateTable", `{`+table+`,"BillingMode":"PAY_PER_REQUEST","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}]}`); status != http.StatusOK {
			t.Fatal(answer)
		}
		for _, request := range []struct{ operation, members string }{
			{"PutItem", `"Item":` + wrong},
			{"GetItem", `"Key":` + wrong},
			{"GetItem", `"Key":{"k":{"S":"k"},"l":{"S":"l"},"m":{"S":"m"}}`},
			{"Scan", `"ExclusiveStartKey":` + wrong},
			{"Scan", `"ExclusiveStartKey":{"l":{"S":"l"},"m":{"S":"m"}}`},
			{"Scan", `"ScanFilter":` + operators},
			{"Scan", `"ScanFilter":` + values},
			{"Query", `"KeyConditions":` + operators},
			{"Query", `"KeyConditions":` + values},
			{"Query", `"KeyConditions":{"k":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"k"}]}},"QueryFilter":` + values},
			{"PutItem", `"Item":{"k":{"S":"k"}},"Expected":` + operators},
			{"PutItem", `"Item":{"k":{"S":"k"}},"Expected":` + values},
			{"PutItem", `"Item":{"k":{"S":"k"}},"Expected":{"a":{"Exists":true},"b":{"Exists":false,"Value":{"S":"b"}},"c":{}}`},
			{"UpdateItem", `"Key":{"k":{"S":"k"}},"AttributeUpdates":{"a":{"Action":"A"},"b":{"Action":"B"},"c":{"Action":"C"}}`},
			{"UpdateItem", `"Key":{"k":{"S":"k"}},"AttributeUpdates":{"a":{"Action":"ADD"},"b":{"Action":"PUT"},"c":{"Action":"ADD","Value":{"S":"c"}},"d":{"Value":{"N":"d"}}}`},
			{"PutItem", `"Item":{"k":{"S":"k"}},"ConditionExpression":"a = b","ExpressionAttributeNames":{"#a":"a","#b":"b","c":"c"}`},
			{"PutItem", `"Item":{"k":{"S":"k"}},"ConditionExpression":"a = b","ExpressionAttributeNames":{"#a":"a","#b":"b"},"ExpressionAttributeValues":{":a":{"S":"a"},":b":{"S":"b"}}`},
			{"PutItem", `"Item":{"k":{"S":"k"}},"ConditionExpression":"a = :b","ExpressionAttributeValues":{":a":{"N":"a"},":b":{"N":"b"},":c":{"SS":[]}}`},
			{"BatchGetItem", `"RequestItems":{"a":{"Keys":[]},"b":{"Keys":[]},"?":{}}`},
			{"BatchGetItem", `"RequestItems":{"abc":{"Keys":[]},"bcd":{},"def":{"Keys":[],"AttributesToGet":[]}}`},
			{"BatchGetItem", `"RequestItems":{"abc":{"Keys":[{"a":{"N":"a"}}]},"bcd":{"Keys":[{"b":{}}]},"def":{"Keys":[{"c":{"SS":[]}}]}}`},
			{"BatchWriteItem", `"RequestItems":{"a":[],"b":[],"?":[]}`},
			{"BatchWriteItem", `"RequestItems":{"abc":[],"bcd":[{}],"def":[{"PutRequest":{}}]}`},
			{"BatchWriteItem", `"RequestItems":{"abc":[{"PutRequest":{"Item":{"a":{"N":"a"}}}}],"bcd":[{"PutRequest":{"Item":{"b":{}}}}]}`},
		} {
			body := "{" + request.members + "}"
			if !strings.HasPrefix(request.operation, "Batch") {
				body = "{" + table + "," + request.members + "}"
			}
			status, first := call(t, h, request.operation, body)
			if status != http.StatusBadRequest {
				t.Errorf("%s %s is answered with %d %s", request.operation, body, status, first)
			}
			for range 30 {
				if _, again := call(t, h, request.operation, body); again != first {
					t.Errorf("%s %s is answered with %s, then with %s", request.operation, body, first, again)
					break
				}
			}
		}
	}
}
