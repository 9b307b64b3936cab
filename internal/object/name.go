package object

import (
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	maxKey        = 1024 // bytes
	maxMetadata   = 2 << 10
	maxBucketTags = 50
	maxObjectTags = 10
	maxTagKey     = 128
	maxTagValue   = 256
)

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func validBucketName(name string) bool {
	if !bucketName.MatchString(name) || strings.Contains(name, "..") || strings.HasPrefix(name, "xn--") || strings.HasSuffix(name, "-s3alias") {
		return false
	}
	_, err := netip.ParseAddr(name)
	return err != nil
}

func checkKey(key string) error {
	switch {
	case key == "":
		return errorf(InvalidArgument, "A key must be specified")
	case len(key) > maxKey:
		return errorf(KeyTooLong, "Your key is too long").with("Size", len(key)).with("MaxSizeAllowed", maxKey)
	case !utf8.ValidString(key):
		return errorf(InvalidArgument, "The key is not valid UTF-8")
	}
	return nil
}

func checkTags(tags map[string]string, limit int) error {
	switch {
	case len(tags) <= limit:
	case limit == maxBucketTags:
		return errorf(TooManyTags, "Bucket tag count cannot be greater than %d", limit)
	default:
		return errorf(TooManyTags, "Object tags cannot be greater than %d", limit)
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value := tags[key]
		switch {
		case key == "" || utf8.RuneCountInString(key) > maxTagKey:
			return errorf(InvalidTag, "The TagKey you have provided is invalid").with("TagKey", key)
		case utf8.RuneCountInString(value) > maxTagValue:
			return errorf(InvalidTag, "The TagValue you have provided is invalid").with("TagValue", value)
		}
	}
	return nil
}
