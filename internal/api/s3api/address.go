package s3api

import (
	"net"
	"net/http"
	"strings"
)

// address returns the bucket and key that a request names, each "" if it names
// none: by the host, bucket.s3.anything or bucket.localhost, or else by the path.
func address(r *http.Request) (bucket, key string) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	bucket, ok := bucketOfHost(r.Host)
	if !ok {
		bucket, ok = strings.CutSuffix(hostOf(r.Host), ".localhost")
	}
	if ok && bucket != "" {
		return bucket, path
	}
	bucket, key, _ = strings.Cut(path, "/")
	return bucket, key
}

func hostOf(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}

// bucketOfHost reports whether a host is that of S3, s3.* or s3-region.*, and
// returns the bucket before it, "" without one.
func bucketOfHost(host string) (bucket string, ok bool) {
	labels := strings.Split(hostOf(host), ".")
	for i := range labels {
		if i < len(labels)-1 && (labels[i] == "s3" || strings.HasPrefix(labels[i], "s3-") && labels[i] != "s3-control") {
			return strings.Join(labels[:i], "."), true
		}
	}
	return "", false
}
