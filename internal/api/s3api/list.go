package s3api

import (
	"cmp"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/weirstream/weir/internal/object"
)

// number reads a parameter that is a number between least and most; more is most.
func (x *exchange) number(name string, otherwise, least, most int) (int, error) {
	text := x.query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, invalidArgument("Provided "+name+" not an integer or within integer range", name, text)
	}
	if int(n) < least {
		return 0, invalidArgument(fmt.Sprintf("Argument %s must be an integer between %d and 2147483647", name, least), name, text)
	}
	return min(int(n), most), nil
}

// encoder returns what writes keys in a document as the client asked for.
func (x *exchange) encoder() (func(string) string, error) {
	switch kind := x.query.Get("encoding-type"); {
	case !x.query.Has("encoding-type"):
		return func(s string) string { return s }, nil
	case kind == "url":
		return func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "%2F", "/") }, nil
	default:
		return nil, invalidArgument("Invalid Encoding Method specified in Request", "encoding-type", kind)
	}
}

type listEntry struct {
	Key               string
	LastModified      string
	ETag              string
	ChecksumAlgorithm string `xml:",omitempty"`
	ChecksumType      string `xml:",omitempty"`
	Size              int64
	Owner             *owner `xml:",omitempty"`
	StorageClass      string
}

type commonPrefix struct{ Prefix string }

// listing is what all lists of objects have.
type listing struct {
	Name           string
	Prefix         string
	Delimiter      string `xml:",omitempty"`
	MaxKeys        int
	EncodingType   string `xml:",omitempty"`
	IsTruncated    bool
	Contents       []listEntry
	CommonPrefixes []commonPrefix
}

// list reads a page that starts after a key.
func (x *exchange) list(after string, withOwner bool) (l listing, next string, encode func(string) string, err error) {
	if encode, err = x.encoder(); err != nil {
		return l, "", nil, err
	}
	limit, err := x.number("max-keys", object.MaxKeys, 0, object.MaxKeys)
	if err != nil {
		return l, "", nil, err
	}
	q := object.Query{Prefix: x.query.Get("prefix"), Delimiter: x.query.Get("delimiter"), After: after, Max: max(limit, 1)}
	page, err := x.h.buckets.List(x.r.Context(), x.bucket, q)
	if err != nil {
		return l, "", nil, err
	}
	if limit == 0 {
		page = object.Page{}
	}
	l = listing{
		Name: x.bucket, Prefix: encode(q.Prefix), Delimiter: encode(q.Delimiter), MaxKeys: limit,
		EncodingType: x.query.Get("encoding-type"), IsTruncated: page.Next != "",
	}
	for _, o := range page.Objects {
		l.Contents = append(l.Contents, x.entry(o, encode, withOwner))
	}
	for _, p := range page.Prefixes {
		l.CommonPrefixes = append(l.CommonPrefixes, commonPrefix{encode(p)})
	}
	return l, page.Next, encode, nil
}

func (x *exchange) entry(o object.Object, encode func(string) string, withOwner bool) listEntry {
	e := listEntry{Key: encode(o.Key), LastModified: timestamp(o.Modified), ETag: `"` + o.ETag + `"`, Size: o.Size, StorageClass: classOf(o.Meta)}
	if o.Checksum != nil {
		e.ChecksumAlgorithm, e.ChecksumType = string(o.Checksum.Algorithm), string(o.Checksum.Type)
	}
	if withOwner {
		who := x.owner()
		e.Owner = &who
	}
	return e
}

// classOf is the name of the storage class.
func classOf(m object.Meta) string { return cmp.Or(m.StorageClass, "STANDARD") }

// listObjects serves both versions of the list.
func (x *exchange) listObjects() error {
	if x.query.Get("list-type") == "2" {
		return x.listObjects2()
	}
	marker := x.query.Get("marker")
	l, next, encode, err := x.list(marker, true)
	if err != nil {
		return err
	}
	if l.Delimiter == "" {
		next = "" // clients take the last key
	}
	return x.document(struct {
		XMLName    xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
		Marker     string
		NextMarker string `xml:",omitempty"`
		listing
	}{Marker: encode(marker), NextMarker: encode(next), listing: l})
}

func (x *exchange) listObjects2() error {
	start, token := x.query.Get("start-after"), x.query.Get("continuation-token")
	after := start
	if x.query.Has("continuation-token") {
		text, err := base64.URLEncoding.DecodeString(token)
		if err != nil || len(text) == 0 {
			return invalidArgument("The continuation token provided is incorrect", "continuation-token", token)
		}
		after = string(text)
	}
	l, next, encode, err := x.list(after, x.query.Get("fetch-owner") == "true")
	if err != nil {
		return err
	}
	if next != "" {
		next = base64.URLEncoding.EncodeToString([]byte(next))
	}
	return x.document(struct {
		XMLName               xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListBucketResult"`
		KeyCount              int
		StartAfter            string `xml:",omitempty"`
		ContinuationToken     string `xml:",omitempty"`
		NextContinuationToken string `xml:",omitempty"`
		listing
	}{
		KeyCount: len(l.Contents) + len(l.CommonPrefixes), StartAfter: encode(start),
		ContinuationToken: token, NextContinuationToken: next, listing: l,
	})
}

// listVersions lists the objects as the only, unversioned, versions of themselves.
func (x *exchange) listVersions() error {
	type version struct {
		listEntry
		VersionId string
		IsLatest  bool
	}
	marker := x.query.Get("key-marker")
	l, next, encode, err := x.list(marker, true)
	if err != nil {
		return err
	}
	out := struct {
		XMLName             xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListVersionsResult"`
		Name                string
		Prefix              string
		KeyMarker           string
		VersionIdMarker     string
		NextKeyMarker       string `xml:",omitempty"`
		NextVersionIdMarker string `xml:",omitempty"`
		Delimiter           string `xml:",omitempty"`
		MaxKeys             int
		EncodingType        string `xml:",omitempty"`
		IsTruncated         bool
		Version             []version
		CommonPrefixes      []commonPrefix
	}{
		Name: l.Name, Prefix: l.Prefix, KeyMarker: encode(marker), Delimiter: l.Delimiter, MaxKeys: l.MaxKeys,
		EncodingType: l.EncodingType, IsTruncated: l.IsTruncated, CommonPrefixes: l.CommonPrefixes, NextKeyMarker: encode(next),
	}
	if next != "" {
		out.NextVersionIdMarker = "null"
	}
	for _, e := range l.Contents {
		out.Version = append(out.Version, version{e, "null", true})
	}
	return x.document(out)
}
