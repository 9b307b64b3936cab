package object

import (
	"errors"
	"fmt"
)

// Code says what is wrong with a request, in the words of the service.
type Code string

// The codes of an [Error].
const (
	NoSuchBucket        Code = "NoSuchBucket"
	NoSuchKey           Code = "NoSuchKey"
	NoSuchUpload        Code = "NoSuchUpload"
	NoSuchTagSet        Code = "NoSuchTagSet"
	BucketExists        Code = "BucketAlreadyOwnedByYou"
	BucketNotEmpty      Code = "BucketNotEmpty"
	InvalidBucketName   Code = "InvalidBucketName"
	InvalidArgument     Code = "InvalidArgument"
	InvalidRequest      Code = "InvalidRequest"
	InvalidTag          Code = "InvalidTag"
	TooManyTags         Code = "BadRequest"
	InvalidPart         Code = "InvalidPart"
	InvalidPartOrder    Code = "InvalidPartOrder"
	KeyTooLong          Code = "KeyTooLongError"
	BadDigest           Code = "BadDigest"
	SHA256Mismatch      Code = "XAmzContentSHA256Mismatch"
	IncompleteBody      Code = "IncompleteBody"
	EntityTooSmall      Code = "EntityTooSmall"
	EntityTooLarge      Code = "EntityTooLarge"
	MetadataTooLarge    Code = "MetadataTooLarge"
	PreconditionFailed  Code = "PreconditionFailed"
	TooManyBuckets      Code = "TooManyBuckets"
	MalformedPolicy     Code = "MalformedPolicy"
	MalformedXML        Code = "MalformedXML"
	InvalidStorageClass Code = "InvalidStorageClass"
)

// Detail is a member of an error beside its code and message, such as BucketName.
type Detail struct{ Name, Value string }

// Error is a request that cannot be served as it was made. The message and the
// details are for the caller.
type Error struct {
	Code    Code
	Message string
	Details []Detail
}

func (e *Error) Error() string { return string(e.Code) + ": " + e.Message }

// Is makes errors of one code equal, so that errors.Is finds a code.
func (e *Error) Is(target error) bool {
	var other *Error
	return errors.As(target, &other) && other.Code == e.Code && other.Message == ""
}

// ErrNoSuchBucket and ErrNoSuchKey match the errors of these codes.
var (
	ErrNoSuchBucket = &Error{Code: NoSuchBucket}
	ErrNoSuchKey    = &Error{Code: NoSuchKey}
)

// ErrUndeliverable marks the errors of a [Target] that trying again will not cure.
var ErrUndeliverable = errors.New("undeliverable")

func errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// with returns the error with a detail more.
func (e *Error) with(name string, value any) *Error {
	out := *e
	out.Details = append(out.Details[:len(out.Details):len(out.Details)], Detail{name, fmt.Sprint(value)})
	return &out
}

func noSuchBucket(bucket string) *Error {
	return errorf(NoSuchBucket, "The specified bucket does not exist").with("BucketName", bucket)
}

func noSuchKey(key string) *Error {
	return errorf(NoSuchKey, "The specified key does not exist.").with("Key", key)
}

func noSuchUpload(id string) *Error {
	return errorf(NoSuchUpload, "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.").with("UploadId", id)
}

func preconditionFailed(condition string) *Error {
	return errorf(PreconditionFailed, "At least one of the pre-conditions you specified did not hold").with("Condition", condition)
}
