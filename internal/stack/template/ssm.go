package template

import "regexp"

// There is no parameter store. The only names in it that templates find are those
// under which the AWS CDK keeps the version of what it has prepared an account with:
// an account here needs no preparation, so it is as good as the newest.

// storedText is the type of parameters whose value is the name of a text in the
// parameter store.
const storedText = "AWS::SSM::Parameter::Value<String>"

const bootstrapVersion = "32"

var bootstrapName = regexp.MustCompile(`^/cdk-bootstrap/[A-Za-z0-9_-]+/version$`)

// stored is what the parameter store has under a name.
func stored(name string) (value string, ok bool) {
	return bootstrapVersion, bootstrapName.MatchString(name)
}
