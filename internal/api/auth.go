package api

import (
	"net/http"
	"net/url"
	"strings"
)

// scope is what a signature's credential says.
type scope struct {
	accessKeyID, region, service string
}

// scopeOf reads the credential of a signature in the header or, given the
// parameters of the URL, there. Nothing is verified.
func scopeOf(r *http.Request, query url.Values) scope {
	_, cred, found := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	if found {
		cred, _, _ = strings.Cut(cred, ",")
		cred, _, _ = strings.Cut(cred, " ")
	} else if cred = query.Get("X-Amz-Credential"); cred == "" {
		return scope{}
	}
	// An access key has no slash: id/date/region/service/aws4_request.
	var s scope
	s.accessKeyID, cred, _ = strings.Cut(cred, "/")
	_, cred, _ = strings.Cut(cred, "/")
	s.region, cred, _ = strings.Cut(cred, "/")
	s.service, _, _ = strings.Cut(cred, "/")
	return s
}

// authorized answers and returns false if signatures are demanded and this one
// lacks something.
func (x *exchange) authorized() bool {
	if p := x.authProblem(); p != nil {
		x.fail(p)
		return false
	}
	return true
}

func (x *exchange) authProblem() *Error {
	if !x.h.cfg.RequireAuth {
		return nil
	}
	p := authProblem(x.r, x.query, x.svc.Dialect)
	if p == nil {
		return nil
	}
	p.QueryCode = strings.TrimSuffix(p.Code, "Exception")
	if x.protocol == protocolQuery || x.protocol == protocolREST {
		p.Status = http.StatusForbidden
	}
	return p
}

// authProblem finds out whether a request lacks a signature or a part of it. It
// judges form only, as the services do before they look at the key.
func authProblem(r *http.Request, query url.Values, d Dialect) *Error {
	header := r.Header.Get("Authorization")
	inQuery := query.Has("X-Amz-Algorithm")
	switch {
	case header != "" && inQuery:
		return &Error{Code: "InvalidSignatureException", Message: "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."}
	case inQuery:
		return incompleteQuery(query)
	case header == "", d == DynamoDB && !strings.HasPrefix(header, "AWS4-"):
		text := "Missing Authentication Token"
		if d == DynamoDB {
			text = "Request is missing Authentication Token"
		}
		return &Error{Code: "MissingAuthenticationTokenException", Message: text}
	}
	return incompleteHeader(r, header)
}

func incompleteHeader(r *http.Request, header string) *Error {
	given := map[string]bool{}
	_, params, _ := strings.Cut(header, " ")
	for part := range strings.FieldsFuncSeq(params, func(c rune) bool { return c == ',' || c == ' ' }) {
		name, value, _ := strings.Cut(part, "=")
		given[name] = value != ""
	}
	text := ""
	for _, name := range []string{"Credential", "Signature", "SignedHeaders"} {
		if !given[name] {
			text += "Authorization header requires '" + name + "' parameter. "
		}
	}
	if r.Header.Get("X-Amz-Date") == "" && r.Header.Get("Date") == "" {
		text += "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
	}
	if text == "" {
		return nil
	}
	return &Error{Code: "IncompleteSignatureException", Message: text + "Authorization=" + header}
}

func incompleteQuery(query url.Values) *Error {
	text := ""
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"} {
		if query.Get(name) == "" {
			text += "AWS query-string parameters must include '" + name + "'. "
		}
	}
	if text == "" {
		return nil
	}
	return &Error{Code: "IncompleteSignatureException", Message: text + "Re-examine the query-string parameters."}
}
