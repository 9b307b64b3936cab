// Package s3api is the S3 API over package object.
//
// S3 is unlike the other services: the path is the name of what is meant, bodies
// are streams of any size, and answers are XML of many small shapes for which the
// SDK has no schemas. So this package answers HTTP itself instead of describing
// operations to package api, which only asks it which requests are its own.
//
// Bodies are read as they are stored and never held in memory; documents are
// bounded. What is not implemented is answered with NotImplemented, as are headers
// that ask for what does not exist here; nothing is ignored that would change what
// is stored or who may read it.
package s3api

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"strings"

	"github.com/weirstream/weir/internal/object"
)

// Handler answers requests of S3.
type Handler struct {
	buckets *object.Buckets
	log     *slog.Logger
}

// New returns the service; log may be nil.
func New(buckets *object.Buckets, log *slog.Logger) *Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Handler{buckets: buckets, log: log}
}

// Claims reports whether a request can be for nothing but S3: it is signed for it,
// or its host says so.
func (h *Handler) Claims(r *http.Request, signedFor string) bool {
	switch signedFor {
	case "s3":
		return true
	case "":
	default:
		return false
	}
	query := r.URL.RawQuery
	if strings.Contains(query, "AWSAccessKeyId=") && strings.Contains(query, "Signature=") {
		return true // signed as of version 2
	}
	_, isHost := bucketOfHost(r.Host)
	return isHost
}

// Has reports whether an unsigned request that nothing else claims is for a bucket:
// it reads from one, or is a form that uploads to one.
func (h *Handler) Has(r *http.Request) bool {
	bucket, _ := address(r)
	if !h.buckets.Exists(bucket) {
		return false
	}
	form := r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data")
	return r.Method == http.MethodGet || r.Method == http.MethodHead || form
}

// exchange is one request and its response.
type exchange struct {
	h           *Handler
	w           http.ResponseWriter
	r           *http.Request
	query       url.Values
	bucket, key string
	requestID   string
	hostID      string
	accessKeyID string
	region      string // that the request was signed for
	answered    bool
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{h: h, w: w, r: r, query: r.URL.Query(), requestID: newRequestID(), hostID: newHostID()}
	defer x.recovered()
	x.bucket, x.key = address(r)
	// The service says so whatever the size of the body, and boto3, when it was not
	// told to continue, takes the next answer on the connection for a part of this one.
	if r.ContentLength == 0 && strings.EqualFold(r.Header.Get("Expect"), "100-continue") {
		w.WriteHeader(http.StatusContinue)
	}
	head := w.Header()
	head.Set("X-Amz-Request-Id", x.requestID)
	head.Set("X-Amz-Id-2", x.hostID)
	if r.Header.Get("Origin") != "" {
		head.Set("Access-Control-Expose-Headers", "*, ETag, x-amz-request-id, x-amz-id-2")
	}
	x.identify()
	if err := x.serve(); err != nil {
		x.fail(err)
	}
}

func (x *exchange) serve() error {
	if err := x.checkSignature(); err != nil {
		return err
	}
	x.hoistHeaders()
	if err := x.checkOwner(); err != nil {
		return err
	}
	if err := x.refuseHeaders(); err != nil {
		return err
	}
	op, err := x.operation()
	if err != nil {
		return err
	}
	return op(x)
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// checkOwner refuses what was meant for a bucket of another account.
func (x *exchange) checkOwner() error {
	for _, name := range []string{"X-Amz-Expected-Bucket-Owner", "X-Amz-Source-Expected-Bucket-Owner"} {
		switch owner := x.r.Header.Get(name); {
		case owner == "" || owner == x.h.buckets.Account():
		case !accountID.MatchString(owner):
			return &apiError{code: "InvalidBucketOwnerAWSAccountID", status: http.StatusBadRequest, message: "The value of the expected bucket owner parameter must be an AWS Account ID... [" + owner + "]"}
		default:
			return &apiError{code: "AccessDenied", status: http.StatusForbidden, message: "Access Denied"}
		}
	}
	return nil
}

func (x *exchange) recovered() {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	x.h.log.Error("panic in a request", "operation", "s3", "panic", p, "stack", string(debug.Stack()))
	if !x.answered {
		x.fail(fmt.Errorf("panic: %v", p))
	}
}

// origin tells events who made a change.
func (x *exchange) origin() object.Origin {
	ip, _, err := net.SplitHostPort(x.r.RemoteAddr)
	if err != nil {
		ip = x.r.RemoteAddr
	}
	return object.Origin{RequestID: x.requestID, HostID: x.hostID, SourceIP: ip, Principal: x.accessKeyID}
}

func newRequestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return fmt.Sprintf("%016X", b)
}

func newHostID() string {
	var b [48]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.StdEncoding.EncodeToString(b[:])
}
