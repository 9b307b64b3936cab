package s3api

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/weirstream/weir/internal/object"
)

// algorithms are those of checksums, in the order in which they are told.
var algorithms = []object.Algorithm{object.CRC32, object.CRC32C, object.CRC64NVME, object.SHA1, object.SHA256}

// digestBytes are the lengths of checksums.
var digestBytes = map[object.Algorithm]int{object.CRC32: 4, object.CRC32C: 4, object.CRC64NVME: 8, object.SHA1: 20, object.SHA256: 32}

func checksumHeader(a object.Algorithm) string { return "X-Amz-Checksum-" + string(a) }

// payload returns the body of a request, without the form of its transfer, and what
// the client says of it.
func (x *exchange) payload() (io.Reader, object.Expected, error) {
	head := x.r.Header
	want := object.Expected{Size: x.r.ContentLength}
	body := io.Reader(x.r.Body)
	sha := head.Get("X-Amz-Content-Sha256")
	var trailer http.Header
	switch {
	case strings.HasPrefix(sha, "STREAMING-"):
		size, err := strconv.ParseInt(head.Get("X-Amz-Decoded-Content-Length"), 10, 64)
		if err != nil || size < 0 {
			return nil, want, &apiError{code: "MissingContentLength", status: http.StatusLengthRequired, message: "You must provide the Content-Length HTTP header."}
		}
		want.Size = size
		chunks := newChunkReader(body)
		trailer, body = chunks.trailer, chunks
	case want.Size < 0:
		return nil, want, &apiError{code: "MissingContentLength", status: http.StatusLengthRequired, message: "You must provide the Content-Length HTTP header."}
	case sha == "" || sha == "UNSIGNED-PAYLOAD":
	default:
		sum, err := hex.DecodeString(sha)
		if err != nil || len(sum) != 32 {
			return nil, want, invalidArgument("x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.", "x-amz-content-sha256", sha)
		}
		want.SHA256 = sum
	}
	return body, want, x.expectDigests(&want, trailer)
}

// expectDigests reads the digests that are sent with a body.
func (x *exchange) expectDigests(want *object.Expected, trailer http.Header) error {
	if values, ok := x.r.Header["Content-Md5"]; ok {
		sum, err := base64.StdEncoding.DecodeString(values[0])
		if err != nil || len(sum) != 16 {
			e := &apiError{code: "InvalidDigest", status: http.StatusBadRequest, message: "The Content-MD5 you specified was invalid."}
			e.detail("Content-MD5", values[0])
			return e
		}
		want.MD5 = sum
	}
	return x.expectChecksum(want, trailer)
}

// expectChecksum reads the checksum that is sent with a body, in the header or
// behind the body.
func (x *exchange) expectChecksum(want *object.Expected, trailer http.Header) error {
	head, given := x.r.Header, ""
	for _, name := range slices.Sorted(maps.Keys(head)) {
		rest, ok := strings.CutPrefix(strings.ToUpper(name), "X-AMZ-CHECKSUM-")
		if !ok || rest == "ALGORITHM" || rest == "TYPE" || rest == "MODE" {
			continue
		}
		if given != "" {
			return errSeveralChecksums
		}
		given, want.Algorithm = name, object.Algorithm(rest)
	}
	if given != "" {
		value := head.Get(given)
		if err := checkDigest(want.Algorithm, given, value); err != nil {
			return err
		}
		want.Value = func() (string, error) { return value, nil }
	}
	announced := head.Get("X-Amz-Trailer")
	asked := object.Algorithm(strings.ToUpper(head.Get("X-Amz-Sdk-Checksum-Algorithm")))
	switch {
	case announced != "" && trailer != nil:
		rest, ok := strings.CutPrefix(strings.ToUpper(announced), "X-AMZ-CHECKSUM-")
		if !ok || digestBytes[object.Algorithm(rest)] == 0 {
			return invalidRequest("The value specified in the x-amz-trailer header is not supported")
		}
		if want.Algorithm != "" {
			return errSeveralChecksums
		}
		want.Algorithm = object.Algorithm(rest)
		want.Value = func() (string, error) {
			value := trailer.Get(announced)
			if value == "" {
				return "", errTrailer
			}
			return value, nil
		}
	case want.Algorithm == "" && asked != "":
		want.Algorithm = asked
	}
	return nil
}

var errSeveralChecksums = invalidRequest("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")

// unknownAlgorithms are those of the service that are not implemented.
var unknownAlgorithms = []object.Algorithm{"MD5", "SHA512", "XXHASH3", "XXHASH64", "XXHASH128"}

func checkDigest(a object.Algorithm, name, value string) error {
	if slices.Contains(unknownAlgorithms, a) {
		return notImplemented("The checksum algorithm " + string(a))
	}
	sum, err := base64.StdEncoding.DecodeString(value)
	if n := digestBytes[a]; n == 0 || err != nil || len(sum) != n {
		return invalidRequest("Value for " + strings.ToLower(name) + " header is invalid.")
	}
	return nil
}

// errTrailer says that the checksum that was announced did not come.
var errTrailer = &apiError{code: "MalformedTrailerError", status: http.StatusBadRequest, message: "The request contained trailing data that was not well-formed or did not conform to our published schema."}

// errChunk says that a body in chunks is malformed.
var errChunk = &apiError{code: "InvalidRequest", status: http.StatusBadRequest, message: "The body is not correctly encoded in chunks (aws-chunked)."}

func incomplete(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
