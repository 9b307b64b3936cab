package api

import (
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// Pattern is a regular expression as the API model states it. It must match
// the whole value.
type Pattern struct {
	text string
	re   *regexp.Regexp
	// letters are those of a pattern such as [a-zA-Z0-9_.-]+, nil for any other.
	// Names of streams and tables have one, and it is asked in every request.
	letters *[utf8.RuneSelf]bool
}

// MustPattern compiles a pattern of the API model, to be kept in a package
// variable; it panics if the pattern is not valid.
func MustPattern(text string) *Pattern {
	return &Pattern{text: text, re: regexp.MustCompile(`\A(?:` + text + `)\z`), letters: lettersOf(text)}
}

// String returns the pattern as the API model states it.
func (p *Pattern) String() string { return p.text }

// Match reports whether the whole of s matches.
func (p *Pattern) Match(s string) bool {
	if p.letters == nil {
		return p.re.MatchString(s)
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || !p.letters[s[i]] {
			return false
		}
	}
	return s != ""
}

// lettersOf returns the members of a pattern that is one or more of a class of
// ASCII, nil for any other pattern.
func lettersOf(text string) *[utf8.RuneSelf]bool {
	re, err := syntax.Parse(text, syntax.Perl)
	if err != nil || re.Op != syntax.OpPlus || re.Sub[0].Op != syntax.OpCharClass {
		return nil
	}
	letters := new([utf8.RuneSelf]bool)
	ranges := re.Sub[0].Rune
	for i := 0; i < len(ranges); i += 2 {
		if ranges[i+1] >= utf8.RuneSelf {
			return nil
		}
		for r := ranges[i]; r <= ranges[i+1]; r++ {
			letters[r] = true
		}
	}
	return letters
}
