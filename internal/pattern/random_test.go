package pattern

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// generator makes small patterns and events of few names and values, so that
// they often match.
type generator struct {
	*rand.Rand
	dialect Dialect
}

func (g *generator) pick(options ...string) string { return options[g.IntN(len(options))] }

func (g *generator) list(n int, item func() string) string {
	items := make([]string, n)
	for i := range items {
		items[i] = item()
	}
	return strings.Join(items, ",")
}

func (g *generator) name() string { return g.pick(`"a"`, `"b"`, `"c"`, `"a"`, `"b"`, `"a.b"`) }

func (g *generator) text() string {
	return g.pick(`"x"`, `"y"`, `"X"`, `"xy"`, `"yx"`, `""`, `"xyxy"`, `"10.0.0.7"`, `"\u0078"`)
}

func (g *generator) number() string { return g.pick("1", "2", "1.0", "-1", "0.5e1", "5") }

func (g *generator) literal() string {
	return g.pick(g.text(), g.text(), g.number(), "true", "false", "null")
}

func (g *generator) wanted() string {
	switch g.IntN(9) {
	case 0:
		return `{"exists":false}`
	case 1:
		return `{"exists":true}`
	case 2:
		return `{"prefix":` + g.text() + `}`
	case 3:
		return `{"suffix":` + g.text() + `}`
	case 4:
		return `{"equals-ignore-case":` + g.text() + `}`
	case 5:
		return `{"numeric":` + g.pick(`[">",0]`, `[">=",1,"<",2]`, `["=",5]`, `["<=",1.5]`) + `}`
	case 6:
		return `{"anything-but":` + g.pick(g.text(), g.number(), `[1,2]`, `["x","y"]`) + `}`
	case 7:
		if g.dialect == EventBridge {
			return g.pick(`{"cidr":"10.0.0.0/8"}`, `{"wildcard":"x*x"}`, `{"wildcard":"*y*"}`, `{"prefix":{"equals-ignore-case":"X"}}`,
				`{"anything-but":{"prefix":"x"}}`, `{"anything-but":{"suffix":["x","y"]}}`,
				`{"anything-but":{"wildcard":"x*"}}`, `{"anything-but":{"equals-ignore-case":"X"}}`)
		}
	}
	return g.literal()
}

func (g *generator) members(depth int, inOr bool) string {
	return "{" + g.list(1+g.IntN(3), func() string {
		switch n := g.IntN(10); {
		case n < 3 && depth > 0:
			return g.name() + ":" + g.members(depth-1, inOr)
		case n == 3 && depth > 0:
			return `"$or":[` + g.list(2+g.IntN(2), func() string { return g.members(depth-1, true) }) + "]"
		}
		return g.name() + ":[" + g.list(1+g.IntN(2), g.wanted) + "]"
	}) + "}"
}

func (g *generator) value(depth int) string {
	switch n := g.IntN(10); {
	case n < 3 && depth > 0:
		return g.object(depth - 1)
	case n < 6 && depth > 0:
		return "[" + g.list(g.IntN(4), func() string { return g.value(depth - 1) }) + "]"
	}
	return g.literal()
}

func (g *generator) object(depth int) string {
	return "{" + g.list(g.IntN(4), func() string { return g.name() + ":" + g.value(depth) }) + "}"
}

func TestAgainstReference(t *testing.T) {
	t.Parallel()
	matches, total := 0, 0
	for seed := range uint64(5_000) {
		g := generator{Rand: rand.New(rand.NewPCG(seed, 1)), dialect: []Dialect{Lambda, EventBridge}[seed%2]}
		text := g.members(2, false)
		p, err := Compile([]byte(text), g.dialect)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		for range 4 {
			event := g.object(4)
			want, ambiguous := refMatch([]byte(text), []byte(event), g.dialect)
			if ambiguous {
				continue
			}
			total++
			if want {
				matches++
			}
			if got := p.Match([]byte(event)); got != want {
				t.Fatalf("seed %d: %v, not %v\npattern %s\nevent   %s", seed, got, want, text, event)
			}
		}
	}
	if matches < total/20 {
		t.Errorf("only %d matches in %d events", matches, total)
	}
}
