package s3api

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	amzTime    = "20060102T150405Z"
	maxExpires = 7 * 24 * 60 * 60 // seconds
)

// identify reads who signed the request, and for which region.
func (x *exchange) identify() {
	_, credential, found := strings.Cut(x.r.Header.Get("Authorization"), "Credential=")
	if !found {
		credential = x.query.Get("X-Amz-Credential")
	}
	credential, _, _ = strings.Cut(credential, ",")
	parts := strings.Split(credential, "/")
	x.accessKeyID = parts[0]
	if len(parts) > 2 {
		x.region = parts[2]
	}
	if x.accessKeyID == "" {
		x.accessKeyID = x.query.Get("AWSAccessKeyId")
	}
}

// checkSignature judges the form and the time of a signature in the URL. The
// signature itself is not verified.
func (x *exchange) checkSignature() error {
	q := x.query
	switch {
	case q.Has("AWSAccessKeyId") && q.Has("Signature"):
		seconds, err := strconv.ParseInt(q.Get("Expires"), 10, 64)
		if err != nil {
			return &apiError{code: "AccessDenied", status: http.StatusForbidden, message: "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"}
		}
		return expired(time.Unix(seconds, 0), "")
	case !q.Has("X-Amz-Algorithm") && !q.Has("X-Amz-Signature"):
		return nil
	}
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"} {
		if q.Get(name) == "" {
			return badQuery("Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.")
		}
	}
	if q.Get("X-Amz-Algorithm") != "AWS4-HMAC-SHA256" {
		return badQuery(`X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"`)
	}
	signed, err := time.Parse(amzTime, q.Get("X-Amz-Date"))
	if err != nil {
		return badQuery(`X-Amz-Date must be in the ISO8601 Long Format "yyyyMMdd'T'HHmmss'Z'"`)
	}
	seconds, err := strconv.ParseInt(q.Get("X-Amz-Expires"), 10, 64)
	switch {
	case err != nil:
		return badQuery("X-Amz-Expires should be a number")
	case seconds < 0:
		return badQuery("X-Amz-Expires must be non-negative")
	case seconds > maxExpires:
		return badQuery("X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds")
	}
	return expired(signed.Add(time.Duration(seconds)*time.Second), q.Get("X-Amz-Expires"))
}

func badQuery(message string) error {
	return &apiError{code: "AuthorizationQueryParametersError", status: http.StatusBadRequest, message: message}
}

func expired(at time.Time, seconds string) error {
	now := time.Now()
	if !now.After(at) {
		return nil
	}
	e := &apiError{code: "AccessDenied", status: http.StatusForbidden, message: "Request has expired"}
	if seconds != "" {
		e.detail("X-Amz-Expires", seconds)
	}
	e.detail("Expires", at.UTC().Format(time.RFC3339))
	e.detail("ServerTime", now.UTC().Format(time.RFC3339))
	return e
}

// hoistHeaders takes the x-amz- headers that a presigned URL carries as parameters.
func (x *exchange) hoistHeaders() {
	if !x.query.Has("X-Amz-Signature") && !x.query.Has("Signature") {
		return
	}
	for name, values := range x.query {
		lower := strings.ToLower(name)
		if !strings.HasPrefix(lower, "x-amz-") || x.r.Header.Get(name) != "" {
			continue
		}
		switch lower {
		case "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders", "x-amz-signature", "x-amz-security-token":
		default:
			x.r.Header.Set(name, values[0])
		}
	}
}
