package s3api

import (
	"maps"
	"slices"
	"strings"
)

// refused are the beginnings of headers that ask for what does not exist here. One
// that asks to pass a lock of an object is none of them: there are no locks to pass.
var refused = []string{
	"X-Amz-Server-Side-Encryption-", "X-Amz-Copy-Source-Server-Side-Encryption-",
	"X-Amz-Object-Lock-", "X-Amz-Bucket-Namespace", "X-Amz-Website-Redirect-Location", "X-Amz-Write-Offset-Bytes",
	"X-Amz-Object-Annotation-Directive", "X-Amz-Mfa",
	"X-Amz-If-Match-Initiated-Time", "X-Amz-If-Match-Last-Modified-Time", "X-Amz-If-Match-Size",
}

// refuseHeaders refuses headers that would otherwise be ignored although they change
// what is stored, who may read it, or whether the request is to be served at all.
func (x *exchange) refuseHeaders() error {
	for _, name := range slices.Sorted(maps.Keys(x.r.Header)) {
		for _, start := range refused {
			if strings.HasPrefix(name, start) && x.r.Header.Get(name) != "" && !asksForNothing(name, x.r.Header.Get(name)) {
				return notImplemented("The header " + strings.ToLower(name))
			}
		}
	}
	if kind := x.r.Header.Get("X-Amz-Server-Side-Encryption"); kind != "" && kind != "AES256" {
		return notImplemented("Server-side encryption " + kind)
	}
	return x.refuseACL()
}

// asksForNothing reports whether the value of a refused header is that of its absence.
func asksForNothing(name, value string) bool {
	switch name {
	case "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled":
		return strings.EqualFold(value, "false")
	case "X-Amz-Object-Lock-Legal-Hold":
		return value == "OFF"
	case "X-Amz-Bucket-Namespace":
		return value == "global"
	}
	return false
}
