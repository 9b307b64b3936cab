package pattern

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
)

// orOf returns $or with n alternatives.
func orOf(name string, n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, fmt.Sprintf(`{"%s":["%d"]}`, name, i))
	}
	return `"$or":[` + strings.Join(parts, ",") + `]`
}

func nest(n int, inner string) string {
	return strings.Repeat(`{"a":`, n) + inner + strings.Repeat("}", n)
}

func TestLimits(t *testing.T) {
	t.Parallel()
	manyKeys := strings.TrimSuffix(strings.Repeat(`"k%d":["x"],`, 3000), ",")
	keys := make([]any, 3000)
	for i := range keys {
		keys[i] = i
	}
	cases := []struct {
		name, text string
		dialect    Dialect
		reason     string // of which the error's begins; "" if there is none
	}{
		{"deep enough", nest(999, `["x"]`), EventBridge, ""},
		{"too deep", nest(1000, `["x"]`), EventBridge, "Document nesting depth (1001) exceeds the maximum allowed (1000"},
		{"too long", `{"a":["` + strings.Repeat("x", maxText) + `"]}`, Lambda, "The pattern is too long"},
		{"not UTF-8", "{\"a\":[\"\xff\"]}", Lambda, "The pattern is not valid UTF-8"},
		{"1,000 branches", "{" + orOf("a", 100) + `,"b":{` + orOf("c", 10) + "}}", EventBridge, ""},
		{"1,010 branches", "{" + orOf("a", 101) + `,"b":{` + orOf("c", 10) + "}}", EventBridge, reasonBranches},
		{"1,001 branches of a mapping", "{" + orOf("a", 1001) + "}", Lambda, reasonBranches},
		{"more branches than a number can count", "{" + strings.Repeat(orOf("a", 10)+",", 300) + orOf("a", 10) + "}", Lambda, reasonBranches},
		{"100 branches of 3,000 conditions", "{" + fmt.Sprintf(manyKeys, keys...) + "," + orOf("a", 100) + "}", Lambda, reasonBranches},
		{"the same in an alternative", `{"$or":[{` + fmt.Sprintf(manyKeys, keys...) + "," + orOf("a", 100) + `},{"x":[1]}]}`, Lambda, reasonBranches},
		{"3,000 conditions", "{" + fmt.Sprintf(manyKeys, keys...) + "}", Lambda, ""},
		{"a trie too large", "{" + fmt.Sprintf(manyKeys, keys...) + `,"` + strings.Repeat(".", 100_000) + `":[1],` + orOf("a", 2) + "}", Lambda, reasonBranches},
		{"151 values", `{"a":[` + strings.Repeat("1,", 150) + `1]}`, MessageBody, reasonPolicySize},
		{"150 values", `{"a":[` + strings.Repeat("1,", 149) + `1]}`, MessageAttributes, ""},
	}
	for _, c := range cases {
		_, err := Compile([]byte(c.text), c.dialect)
		reason := ""
		if err != nil {
			reason = err.(*Error).Reason
		}
		if (c.reason == "") != (err == nil) || !strings.HasPrefix(reason, c.reason) {
			t.Errorf("%s: %.300s", c.name, reason)
		}
	}
}

func TestDeepEvent(t *testing.T) {
	t.Parallel()
	p, err := Compile([]byte(`{"b":["x"]}`), Lambda)
	if err != nil {
		t.Fatal(err)
	}
	event := func(n int) []byte {
		return []byte(`{"b":"x","c":` + nest(n, strings.Repeat("[", 9)+strings.Repeat("]", 9)) + `}`)
	}
	if !p.Match(event(990)) || p.Match(event(991)) {
		t.Error("the limit is not 1,000 levels")
	}
}

// TestWideBranch holds the sets of bits of several words against the reference.
func TestWideBranch(t *testing.T) {
	t.Parallel()
	g := generator{Rand: rand.New(rand.NewPCG(1, 2)), dialect: EventBridge}
	for range 100 {
		var names, fields []string
		for i := range 150 {
			name := fmt.Sprintf("n%d", i)
			names = append(names, fmt.Sprintf(`"%s":[%s,{"exists":%v}]`, name, g.literal(), i%50 != 0))
			if g.IntN(300) > 0 {
				fields = append(fields, fmt.Sprintf(`"%s":%s`, name, g.literal()))
			}
		}
		alternatives := fmt.Sprintf(`"$or":[{"m":[1]},{"m":[2],%s},{"l":[{"exists":false}]}]`, names[0])
		text := []byte(`{"r":{` + strings.Join(names, ",") + "," + alternatives + "}}")
		object := "{" + strings.Join(fields, ",") + `,"m":` + g.pick("1", "2", "3") + "}"
		event := []byte(g.pick(`{"r":`+object+`}`, `{"r":[{"m":1},`+object+`,{}]}`))
		p, err := Compile(text, EventBridge)
		if err != nil {
			t.Fatal(err)
		}
		if want, _ := refMatch(text, event, EventBridge); p.Match(event) != want {
			t.Fatalf("not %v: %s on %s", want, text, event)
		}
	}
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	p, err := Compile([]byte(`{"a":{"b":["x\ny"],"c":[1]}}`), EventBridge)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			event := []byte(fmt.Sprintf(`{"a":[{"b":"x\ny","c":%d},{"c":1}]}`, i))
			for range 1000 {
				if p.Match(event) != (i == 1) {
					t.Error("wrong answer")
					return
				}
			}
		})
	}
	wg.Wait()
}
