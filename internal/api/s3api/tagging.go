package s3api

import (
	"encoding/xml"
	"maps"
	"net/http"
	"slices"

	"github.com/weirstream/weir/internal/object"
)

type tag struct{ Key, Value string }

type tagging struct {
	XMLName xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ Tagging"`
	Tags    []tag    `xml:"TagSet>Tag"`
}

func taggingOf(tags map[string]string) tagging {
	var t tagging
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		t.Tags = append(t.Tags, tag{key, tags[key]})
	}
	return t
}

// tagSet is a document with tags.
type tagSet struct {
	Set *struct {
		Tags []tag `xml:"Tag"`
	} `xml:"TagSet"`
}

// decodeTags reads tags from the document of a request.
func (x *exchange) decodeTags() (map[string]string, error) {
	var in tagSet
	if err := x.decode(&in); err != nil {
		return nil, err
	}
	return in.tags()
}

// parseTags reads tags from a document in a form; one without a set has none.
func parseTags(doc []byte) (map[string]string, error) {
	var in tagSet
	if err := xml.Unmarshal(doc, &in); err != nil {
		return nil, malformedXML(err)
	}
	if in.Set == nil {
		return nil, nil
	}
	return in.tags()
}

func (in tagSet) tags() (map[string]string, error) {
	if in.Set == nil {
		return nil, malformedXML(nil)
	}
	return tagsOf(in.Set.Tags)
}

// tagsOf refuses tags with the same key.
func tagsOf(list []tag) (map[string]string, error) {
	tags := make(map[string]string, len(list))
	for _, t := range list {
		if _, again := tags[t.Key]; again {
			return nil, &apiError{code: "InvalidTag", status: http.StatusBadRequest, message: "Cannot provide multiple Tags with the same key"}
		}
		tags[t.Key] = t.Value
	}
	return tags, nil
}

func (x *exchange) getBucketTagging() error {
	b, err := x.h.buckets.Bucket(x.r.Context(), x.bucket)
	if err != nil {
		return err
	}
	if len(b.Tags) == 0 {
		e := &apiError{code: string(object.NoSuchTagSet), status: http.StatusNotFound, message: "The TagSet does not exist"}
		e.detail("BucketName", x.bucket)
		return e
	}
	return x.document(taggingOf(b.Tags))
}

func (x *exchange) putBucketTagging() error {
	tags, err := x.decodeTags()
	if err != nil {
		return err
	}
	if err := x.h.buckets.SetTags(x.r.Context(), x.bucket, tags); err != nil {
		return err
	}
	return x.nothing(http.StatusNoContent)
}

func (x *exchange) deleteBucketTagging() error {
	if err := x.h.buckets.SetTags(x.r.Context(), x.bucket, nil); err != nil {
		return err
	}
	return x.nothing(http.StatusNoContent)
}

func (x *exchange) getObjectTagging() error {
	if err := x.noVersion(); err != nil {
		return err
	}
	o, err := x.h.buckets.Head(x.r.Context(), x.bucket, x.key)
	if err != nil {
		return err
	}
	return x.document(taggingOf(o.Meta.Tags))
}

func (x *exchange) putObjectTagging() error {
	if err := x.noVersion(); err != nil {
		return err
	}
	tags, err := x.decodeTags()
	if err != nil {
		return err
	}
	if err := x.h.buckets.SetObjectTags(x.r.Context(), x.bucket, x.key, tags, x.origin()); err != nil {
		return err
	}
	return x.nothing(http.StatusOK)
}

func (x *exchange) deleteObjectTagging() error {
	if err := x.noVersion(); err != nil {
		return err
	}
	if err := x.h.buckets.SetObjectTags(x.r.Context(), x.bucket, x.key, nil, x.origin()); err != nil {
		return err
	}
	return x.nothing(http.StatusNoContent)
}
