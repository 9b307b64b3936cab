package api

import "testing"

// A pattern that is a class of letters is not asked through its expression, and must
// say the same.
func TestPatternOfLetters(t *testing.T) {
	t.Parallel()
	for text, letters := range map[string]bool{
		`[a-zA-Z0-9_.-]+`: true, `[\.\-_/#A-Za-z0-9]+`: true, `([a-zA-Z0-9-_]+)`: false,
		`[^\s]+`: false, `[a-z]*`: false, `a+`: false, `[a-z]+|b`: false, `0|([1-9]\d{0,38})`: false, `\w+`: true,
	} {
		p := MustPattern(text)
		if (p.letters != nil) != letters {
			t.Errorf("%s: taken for letters: %t", text, p.letters != nil)
		}
		for _, s := range []string{"", "a", "Z9_.-", "a b", "a/b#", "é", "a\xff", "a\n", "0", "01", "\x00"} {
			if p.Match(s) != p.re.MatchString(s) {
				t.Errorf("%s matches %q: %t", text, s, p.Match(s))
			}
		}
	}
}

func BenchmarkPatternOfLetters(b *testing.B) {
	p := MustPattern(`[a-zA-Z0-9_.-]+`)
	for b.Loop() {
		p.Match("event-counters")
	}
}
