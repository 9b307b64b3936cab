package function

import (
	"regexp"

	"github.com/weirstream/weir/internal/catalog"
)

// LatestVersion is the version that is not published and follows every change.
const LatestVersion = "$LATEST"

// maxNameLength bounds the bare name of a function.
const maxNameLength = 64

// reference is the parsed form of how a request names a function.
type reference struct {
	region, account string // "" if not told
	name            string
	qualifier       string // version or alias, "" if not told
}

var (
	referencePattern = regexp.MustCompile(`^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?` +
		`(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_]+)(?::(\$LATEST|[a-zA-Z0-9-_]+))?$`)
	namePattern = regexp.MustCompile(`^[a-zA-Z0-9-_]+$`)
)

// parseReference reads a name, a full ARN, or a part of one from its right, each
// with an optional qualifier.
func parseReference(s string) (reference, error) {
	m := referencePattern.FindStringSubmatch(s)
	if m == nil {
		return reference{}, invalidf("%q is not the name or ARN of a function", s)
	}
	return reference{region: m[1], account: m[2], name: m[3], qualifier: m[4]}, nil
}

// NameOf returns the bare name and the qualifier ("" if none) in a function
// reference: a name, an ARN or a partial ARN.
func NameOf(ref string) (name, qualifier string, err error) {
	r, err := parseReference(ref)
	return r.name, r.qualifier, err
}

// ARN returns the ARN of a function in an account; qualifier may be "".
func ARN(id catalog.Identity, name, qualifier string) string {
	arn := id.ARN("lambda", "function:"+name)
	if qualifier != "" {
		arn += ":" + qualifier
	}
	return arn
}

// logGroupOf is where a function's output goes unless its definition says
// otherwise.
func logGroupOf(name string) string { return "/aws/lambda/" + name }
