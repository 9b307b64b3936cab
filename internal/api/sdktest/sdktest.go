// Package sdktest knows all operations of the SDK's clients, found by
// reflection, and fills their inputs at random. It is for tests of codecs: what
// holds for every shape needs no list of shapes.
package sdktest

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"github.com/weirstream/weir/internal/api/awsjson"
	"github.com/weirstream/weir/internal/api/shape"
)

// Input is the input of an operation.
type Input struct {
	Service, Operation string
	Go                 reflect.Type
	Schema             *smithy.Schema
	Shape              *shape.Type
}

// Unions are the unions in inputs of the services.
var Unions = map[reflect.Type][]reflect.Type{
	reflect.TypeFor[ddbtypes.AttributeValue](): {
		reflect.TypeFor[ddbtypes.AttributeValueMemberB](), reflect.TypeFor[ddbtypes.AttributeValueMemberBOOL](),
		reflect.TypeFor[ddbtypes.AttributeValueMemberBS](), reflect.TypeFor[ddbtypes.AttributeValueMemberL](),
		reflect.TypeFor[ddbtypes.AttributeValueMemberM](), reflect.TypeFor[ddbtypes.AttributeValueMemberN](),
		reflect.TypeFor[ddbtypes.AttributeValueMemberNS](), reflect.TypeFor[ddbtypes.AttributeValueMemberNULL](),
		reflect.TypeFor[ddbtypes.AttributeValueMemberS](), reflect.TypeFor[ddbtypes.AttributeValueMemberSS](),
		reflect.TypeFor[ddbtypes.UnknownUnionMember](),
	},
	reflect.TypeFor[cwtypes.EvaluationCriteria](): {reflect.TypeFor[cwtypes.EvaluationCriteriaMemberPromQLCriteria]()},
	reflect.TypeFor[cwtypes.EvaluationWindow](): {
		reflect.TypeFor[cwtypes.EvaluationWindowMemberSlidingWindow](), reflect.TypeFor[cwtypes.EvaluationWindowMemberWallClockWindow](),
	},
	reflect.TypeFor[logstypes.ResourceConfig](): {reflect.TypeFor[logstypes.ResourceConfigMemberOpenSearchResourceConfig]()},
}

// Inputs returns the inputs of all operations of the services whose SDK has
// schemas.
func Inputs() ([]Input, error) {
	var all []Input
	for _, c := range []struct {
		service string
		client  reflect.Type
	}{
		{"kinesis", reflect.TypeFor[*kinesis.Client]()},
		{"dynamodb", reflect.TypeFor[*dynamodb.Client]()},
		{"dynamodbstreams", reflect.TypeFor[*dynamodbstreams.Client]()},
		{"lambda", reflect.TypeFor[*lambda.Client]()},
		{"cloudwatch", reflect.TypeFor[*cloudwatch.Client]()},
		{"cloudwatchlogs", reflect.TypeFor[*cloudwatchlogs.Client]()},
	} {
		builder := shape.NewBuilder(Unions)
		for i := range c.client.NumMethod() {
			m := c.client.Method(i)
			if m.Type.NumIn() != 4 || !strings.HasSuffix(m.Type.In(2).String(), "Input") {
				continue // not an operation
			}
			in := Input{Service: c.service, Operation: m.Name, Go: m.Type.In(2).Elem()}
			in.Schema = SchemaOf(reflect.New(in.Go).Interface().(smithy.Serializable))
			var err error
			if in.Shape, err = builder.Describe(in.Go, in.Schema); err != nil {
				return nil, fmt.Errorf("%s %s: %w", c.service, m.Name, err)
			}
			all = append(all, in)
		}
	}
	return all, nil
}

// SchemaOf returns the schema of a value that describes itself.
func SchemaOf(v smithy.Serializable) *smithy.Schema {
	var c catcher
	v.Serialize(&c)
	return c.top
}

type catcher struct {
	awsjson.Serializer
	top *smithy.Schema
}

func (c *catcher) WriteStruct(schema *smithy.Schema) {
	if c.Depth() == 0 {
		c.top = schema
	}
	c.Serializer.WriteStruct(schema)
}

// Fill returns a new value of the input with all members set at random, except
// for streams. The depth of values that nest in themselves is bounded.
func (in Input) Fill(rnd *rand.Rand) reflect.Value {
	p := reflect.New(in.Go)
	fill(rnd, &shape.Slot{Type: in.Shape}, p.Elem(), 0)
	return p
}

const maxDepth = 12

func fill(rnd *rand.Rand, s *shape.Slot, v reflect.Value, depth int) {
	switch s.Kind {
	case shape.Struct:
		place := s.Settle(v)
		for _, m := range s.Members {
			if depth < maxDepth {
				fill(rnd, &m.Slot, place.Field(m.Field), depth+1)
			}
		}
	case shape.Union:
		fillUnion(rnd, s.Type, v, depth)
	case shape.List:
		place := s.Settle(v)
		place.Set(reflect.MakeSlice(s.Go, 0, 0))
		for i := range length(rnd, depth) {
			place.Set(reflect.Append(place, reflect.Zero(s.Go.Elem())))
			fill(rnd, &s.Elem, place.Index(i), depth+1)
		}
	case shape.Map:
		place := s.Settle(v)
		place.Set(reflect.MakeMap(s.Go))
		for range length(rnd, depth) {
			elem := reflect.New(s.Go.Elem()).Elem()
			fill(rnd, &s.Elem, elem, depth+1)
			key := reflect.New(s.Go.Key()).Elem()
			key.SetString(text(rnd))
			place.SetMapIndex(key, elem)
		}
	case shape.Stream:
	default:
		fillScalar(rnd, s, s.Settle(v))
	}
}

func length(rnd *rand.Rand, depth int) int {
	if depth >= maxDepth {
		return 0
	}
	return rnd.IntN(3)
}

func fillUnion(rnd *rand.Rand, t *shape.Type, v reflect.Value, depth int) {
	m := t.Members[rnd.IntN(len(t.Members))]
	for depth >= maxDepth && (m.Kind == shape.List || m.Kind == shape.Map) {
		m = t.Members[rnd.IntN(len(t.Members))]
	}
	fill(rnd, &m.Slot, m.SetVariant(v), depth+1)
}

// fillScalar never sets a zero: the SDK leaves those out.
func fillScalar(rnd *rand.Rand, s *shape.Slot, v reflect.Value) {
	switch s.Kind {
	case shape.String:
		v.SetString(text(rnd))
	case shape.Blob:
		v.SetBytes([]byte(text(rnd)))
	case shape.Bool:
		v.SetBool(true)
	case shape.Byte, shape.Short, shape.Integer, shape.Long:
		n := rnd.Int64() >> (64 - v.Type().Bits()) >> rnd.IntN(v.Type().Bits()-1)
		v.SetInt(max(n, 1) * int64(1-2*rnd.IntN(2)))
	case shape.Float:
		v.SetFloat(float64(rnd.Float32()) + 1)
	case shape.Double:
		v.SetFloat(rnd.NormFloat64() + 100)
	case shape.Time:
		v.Set(reflect.ValueOf(time.UnixMilli(rnd.Int64N(4e12)).UTC()))
	}
}

var words = []string{"a", "web-analytics", "é", "😀", "\"quoted\"\\", "line\nbreak", "\x00\x1f", "0", "null", "<&>"}

func text(rnd *rand.Rand) string {
	s := words[rnd.IntN(len(words))]
	for rnd.IntN(2) == 0 {
		s += words[rnd.IntN(len(words))]
	}
	return s
}
