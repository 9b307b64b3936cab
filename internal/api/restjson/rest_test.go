package restjson_test

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/api/restjson"
	"github.com/weirstream/weir/internal/api/shape"
)

// operations are those that the tests route.
var operations = map[string]struct {
	op, in *smithy.Schema
	goType reflect.Type
}{
	"Invoke":                   {schemas.Invoke, schemas.InvocationRequest, reflect.TypeFor[lambda.InvokeInput]()},
	"InvokeAsync":              {schemas.InvokeAsync, schemas.InvokeAsyncRequest, reflect.TypeFor[lambda.InvokeAsyncInput]()},
	"ListFunctions":            {schemas.ListFunctions, schemas.ListFunctionsRequest, reflect.TypeFor[lambda.ListFunctionsInput]()},
	"GetFunction":              {schemas.GetFunction, schemas.GetFunctionRequest, reflect.TypeFor[lambda.GetFunctionInput]()},
	"CreateFunction":           {schemas.CreateFunction, schemas.CreateFunctionRequest, reflect.TypeFor[lambda.CreateFunctionInput]()},
	"UpdateEventSourceMapping": {schemas.UpdateEventSourceMapping, schemas.UpdateEventSourceMappingRequest, reflect.TypeFor[lambda.UpdateEventSourceMappingInput]()},
	"ListEventSourceMappings":  {schemas.ListEventSourceMappings, schemas.ListEventSourceMappingsRequest, reflect.TypeFor[lambda.ListEventSourceMappingsInput]()},
	"UntagResource":            {schemas.UntagResource, schemas.UntagResourceRequest, reflect.TypeFor[lambda.UntagResourceInput]()},
	"ListProvisioned":          {schemas.ListProvisionedConcurrencyConfigs, schemas.ListProvisionedConcurrencyConfigsRequest, reflect.TypeFor[lambda.ListProvisionedConcurrencyConfigsInput]()},
	"GetProvisioned":           {schemas.GetProvisionedConcurrencyConfig, schemas.GetProvisionedConcurrencyConfigRequest, reflect.TypeFor[lambda.GetProvisionedConcurrencyConfigInput]()},
}

type router struct {
	restjson.Router[string]
	requests map[string]*restjson.Request
}

func newRouter(t testing.TB) *router {
	t.Helper()
	r := &router{requests: map[string]*restjson.Request{}}
	for name, o := range operations {
		in, err := shape.NewBuilder(nil).Describe(o.goType, o.in)
		if err != nil {
			t.Fatal(err)
		}
		if r.requests[name], err = restjson.NewRequest(o.op, in); err != nil {
			t.Fatal(err)
		}
		if err := r.Add(o.op, name); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// serve decodes a request and returns the operation and its input.
func (r *router) serve(method, uri string, header http.Header, body string) (string, any, error) {
	u, err := url.ParseRequestURI(uri)
	if err != nil {
		return "", nil, nil
	}
	name, labels, ok := r.Find(method, u.EscapedPath(), u.Query())
	if !ok {
		return "", nil, nil
	}
	in := reflect.New(operations[name].goType)
	dec := awsjson.Decoder{Dialect: awsjson.Plain, JSONNames: true}
	err = r.requests[name].Decode(labels, u.Query(), header, []byte(body), dec, in.Elem())
	return name, in.Interface(), err
}

func TestRequests(t *testing.T) {
	t.Parallel()
	r := newRouter(t)
	for _, c := range []struct {
		method, uri, body string
		header            http.Header
		op                string
		in                any
	}{
		{"POST", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af/invocations?Qualifier=1", "any \x00 bytes",
			http.Header{"X-Amz-Invocation-Type": {"Event"}, "X-Amz-Log-Type": {"Tail"}}, "Invoke",
			&lambda.InvokeInput{
				FunctionName: aws.String("arn:aws:lambda:us-east-1:000000000000:function:f"), Qualifier: aws.String("1"),
				Payload: []byte("any \x00 bytes"), InvocationType: types.InvocationTypeEvent, LogType: types.LogTypeTail,
			}},
		{"GET", "/2015-03-31/functions/?MaxItems=5&Marker=a%20b", "", nil, "ListFunctions", &lambda.ListFunctionsInput{MaxItems: aws.Int32(5), Marker: aws.String("a b")}},
		{"GET", "/2015-03-31/functions/f%2Fg", "", nil, "GetFunction", &lambda.GetFunctionInput{FunctionName: aws.String("f/g")}},
		{"PUT", "/2015-03-31/event-source-mappings/id/", `{"UUID":"other","BatchSize":7,"Unknown":1}`, nil, "UpdateEventSourceMapping",
			&lambda.UpdateEventSourceMappingInput{UUID: aws.String("id"), BatchSize: aws.Int32(7)}},
		{"DELETE", "/2017-03-31/tags/arn?tagKeys=a&tagKeys=b", "", nil, "UntagResource", &lambda.UntagResourceInput{Resource: aws.String("arn"), TagKeys: []string{"a", "b"}}},
		{"GET", "/2019-09-30/functions/f/provisioned-concurrency?List=ALL", "", nil, "ListProvisioned", &lambda.ListProvisionedConcurrencyConfigsInput{FunctionName: aws.String("f")}},
		{"GET", "/2019-09-30/functions/f/provisioned-concurrency?Qualifier=1", "", nil, "GetProvisioned",
			&lambda.GetProvisionedConcurrencyConfigInput{FunctionName: aws.String("f"), Qualifier: aws.String("1")}},
		{"POST", "/2015-03-31/functions", ` `, nil, "CreateFunction", &lambda.CreateFunctionInput{}},
	} {
		op, in, err := r.serve(c.method, c.uri, c.header, c.body)
		if err != nil || op != c.op || !reflect.DeepEqual(in, c.in) {
			t.Errorf("%s %s: got %s %+v, %v", c.method, c.uri, op, in, err)
		}
	}
	for _, uri := range []string{"/", "/2015-03-31", "/2015-03-31/functions//invocations", "/2015-03-31/functions/a/b/invocations", "/2015-03-31/functions/f/invocations/x"} {
		if op, _, _ := r.serve("POST", uri, nil, ""); op != "" {
			t.Errorf("%s leads to %s", uri, op)
		}
	}
}

func TestRequestErrors(t *testing.T) {
	t.Parallel()
	r := newRouter(t)
	for _, c := range []struct{ method, uri, body, want string }{
		{"GET", "/2015-03-31/functions?MaxItems=x", "", "STRING_VALUE can not be converted to an Integer"},
		{"POST", "/2015-03-31/functions", `{"FunctionName":1}`, "NUMBER_VALUE can not be converted to a String"},
		{"POST", "/2015-03-31/functions", `{"Timeout":"3"}`, "STRING_VALUE can not be converted to an Integer"},
		{"POST", "/2015-03-31/functions", `{"Code":{"ZipFile":"a"}}`, "'a' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 1"},
		{"POST", "/2015-03-31/functions", `[]`, awsjson.ErrNotObject.Error()},
	} {
		_, _, err := r.serve(c.method, c.uri, nil, c.body)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %s %s: got %v, want %s", c.method, c.uri, c.body, err, c.want)
		}
	}
}

func TestCollision(t *testing.T) {
	t.Parallel()
	var r restjson.Router[int]
	if err := r.Add(schemas.Invoke, 1); err != nil {
		t.Fatal(err)
	}
	if err := r.Add(schemas.Invoke, 2); err == nil {
		t.Error("an operation was added twice")
	}
	if err := r.Add(schemas.InvocationRequest, 3); err == nil {
		t.Error("an operation without a path was added")
	}
	if err := restjson.CheckOutput(schemas.InvokeWithResponseStreamResponse); err == nil {
		t.Error("an output with an event stream was accepted")
	}
}

func TestResponses(t *testing.T) {
	t.Parallel()
	s := restjson.Serializer{Header: http.Header{}}
	out := &lambda.InvokeOutput{StatusCode: 202, ExecutedVersion: aws.String("$LATEST"), Payload: []byte("null"), FunctionError: aws.String("Unhandled")}
	out.Serialize(&s)
	want := http.Header{"X-Amz-Executed-Version": {"$LATEST"}, "X-Amz-Function-Error": {"Unhandled"}}
	if s.Status != 202 || string(s.Body()) != "null" || !reflect.DeepEqual(s.Header, want) {
		t.Errorf("got %d %v %s", s.Status, s.Header, s.Body())
	}
	s = restjson.Serializer{Header: http.Header{}}
	(&types.TooManyRequestsException{Message: aws.String("Rate Exceeded."), Type: aws.String("User"), RetryAfterSeconds: aws.String("5")}).Serialize(&s)
	if got := string(s.Body()); got != `{"Type":"User","message":"Rate Exceeded."}` || s.Header.Get("Retry-After") != "5" {
		t.Errorf("got %v %s", s.Header, got)
	}
}

// FuzzRESTRequest routes and decodes any request: that must not panic.
func FuzzRESTRequest(f *testing.F) {
	r := newRouter(f)
	f.Add("POST", "/2015-03-31/functions/f/invocations?Qualifier=1", "Event", "{}")
	f.Add("POST", "/2015-03-31/functions", "", `{"FunctionName":"f","Code":{"ZipFile":"YQ=="},"Environment":{"Variables":{"a":"b"}}}`)
	f.Add("PUT", "/2015-03-31/event-source-mappings/id/", "x", `{"BatchSize":7}`)
	f.Add("GET", "/2015-03-31/functions/%2F%zz/?MaxItems=99999999999", "", "")
	f.Add("DELETE", "/2017-03-31/tags/a?tagKeys=a&tagKeys", "", "")
	f.Fuzz(func(t *testing.T, method, uri, header, body string) {
		h := http.Header{"X-Amz-Invocation-Type": {header}, "X-Amz-Client-Context": {header}}
		op, in, err := r.serve(method, uri, h, body)
		if op != "" && err == nil && strings.HasPrefix(op, "Create") {
			var s awsjson.Serializer
			in.(smithy.Serializable).Serialize(&s)
		}
	})
}
