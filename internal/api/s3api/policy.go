package s3api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxForm is the size of a file that a policy without bounds permits.
const maxForm = 5 << 30

func badPolicy(why string) error {
	return &apiError{code: "InvalidPolicyDocument", status: http.StatusBadRequest, message: "Invalid Policy: " + why}
}

func denied(why string) error {
	return &apiError{code: "AccessDenied", status: http.StatusForbidden, message: "Invalid according to Policy: " + why}
}

// checkPolicy judges the policy of a form: its expiry and conditions. It returns
// the bounds of the size of the file.
func checkPolicy(fields http.Header) (least, most int64, err error) {
	if fields.Get("Policy") == "" {
		return 0, maxForm, nil
	}
	until, conditions, err := parsePolicy(fields.Get("Policy"))
	if err != nil {
		return 0, 0, err
	}
	if time.Now().After(until) {
		return 0, 0, denied("Policy expired.")
	}
	most = maxForm
	for _, c := range conditions {
		from, to, bounds, err := checkCondition(fields, c)
		if err != nil {
			return 0, 0, err
		}
		if bounds {
			least, most = from, to
		}
	}
	return least, most, checkCovered(fields, conditions)
}

// uncovered are the fields that no condition need name, besides those whose name
// begins with x-ignore-.
var uncovered = map[string]bool{"Policy": true, "X-Amz-Signature": true, "Signature": true, "Awsaccesskeyid": true}

// checkCovered refuses fields that no condition names.
func checkCovered(fields http.Header, conditions []json.RawMessage) error {
	covered := http.Header{}
	for _, doc := range conditions {
		var simple map[string]string
		var list []any
		if json.Unmarshal(doc, &simple) == nil {
			for name := range simple {
				covered.Set(name, "")
			}
		} else if json.Unmarshal(doc, &list) == nil && len(list) == 3 {
			covered.Set(strings.TrimPrefix(fmt.Sprint(list[1]), "$"), "")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if _, ok := covered[name]; !ok && !uncovered[name] && !strings.HasPrefix(name, "X-Ignore-") {
			return denied("Extra input fields: " + strings.ToLower(name))
		}
	}
	return nil
}

// parsePolicy reads a policy. The names of its members are those, to the letter.
func parsePolicy(text string) (until time.Time, conditions []json.RawMessage, err error) {
	doc, err := base64.StdEncoding.DecodeString(text)
	var members map[string]json.RawMessage
	if err != nil || json.Unmarshal(doc, &members) != nil {
		return until, nil, badPolicy("Invalid JSON.")
	}
	if _, ok := members["expiration"]; !ok {
		return until, nil, badPolicy("Policy missing expiration.")
	}
	if json.Unmarshal(members["expiration"], &until) != nil {
		return until, nil, badPolicy("Invalid 'expiration' value: '" + strings.Trim(string(members["expiration"]), `"`) + "'")
	}
	if _, ok := members["conditions"]; !ok {
		return until, nil, badPolicy("Policy missing conditions.")
	}
	if json.Unmarshal(members["conditions"], &conditions) != nil {
		return until, nil, badPolicy("Invalid 'conditions' value.")
	}
	return until, conditions, nil
}

// checkCondition judges one condition. One on the size of the file, which is not
// known yet, gives its bounds.
func checkCondition(fields http.Header, doc json.RawMessage) (from, to int64, bounds bool, err error) {
	var simple map[string]string
	if json.Unmarshal(doc, &simple) == nil {
		if len(simple) != 1 {
			return 0, 0, false, badPolicy("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
		}
		for name, want := range simple {
			return 0, 0, false, compare(fields, "eq", "$"+name, want)
		}
	}
	var list []any
	if json.Unmarshal(doc, &list) != nil || len(list) != 3 {
		return 0, 0, false, badPolicy("Invalid 'conditions' value.")
	}
	operator := strings.ToLower(fmt.Sprint(list[0]))
	if operator != "content-length-range" {
		return 0, 0, false, compare(fields, operator, fmt.Sprint(list[1]), fmt.Sprint(list[2]))
	}
	least, isNumber := list[1].(float64)
	most, areNumbers := list[2].(float64)
	if !isNumber || !areNumbers {
		return 0, 0, false, denied(fmt.Sprintf(`Policy Condition failed: ["content-length-range", "%v", "%v"]`, list[1], list[2]))
	}
	return int64(least), int64(most), true, nil
}

// compare judges a condition on a field, the name of which begins with a dollar.
func compare(fields http.Header, operator, field, want string) error {
	name, named := strings.CutPrefix(field, "$")
	got := fields.Get(name)
	switch {
	case !named:
	case operator == "eq" && got == want,
		operator == "starts-with" && strings.HasPrefix(got, want):
		return nil
	}
	return denied(fmt.Sprintf(`Policy Condition failed: ["%s", "%s", "%s"]`, operator, field, want))
}
