package s3api

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"

	"github.com/weirstream/weir/internal/object"
)

const (
	attributesHeader = "X-Amz-Object-Attributes"

	attributeETag     = "ETag"
	attributeChecksum = "Checksum"
	attributeParts    = "ObjectParts"
	attributeClass    = "StorageClass"
	attributeSize     = "ObjectSize"
)

// attributes are what GetObjectAttributes tells. Members are nil when they were not
// asked for, or when there is nothing to tell.
type attributes struct {
	XMLName      xml.Name `xml:"http://s3.amazonaws.com/doc/2006-03-01/ GetObjectAttributesResponse"`
	ETag         *string
	Checksum     *checksums
	ObjectParts  *objectParts
	StorageClass *string
	ObjectSize   *int64
}

// objectParts lists parts only if they have checksums of their own.
type objectParts struct {
	TotalPartsCount int `xml:"PartsCount"`
	*partsPage
}

type partsPage struct {
	PartNumberMarker     int
	NextPartNumberMarker int
	MaxParts             int
	IsTruncated          bool
	Parts                []partAttributes `xml:"Part"`
}

type partAttributes struct {
	PartNumber int
	Size       int64
	checksums
}

func (x *exchange) getObjectAttributes() error {
	if err := x.noVersion(); err != nil {
		return err
	}
	wanted, err := x.wantedAttributes()
	if err != nil {
		return err
	}
	c, err := x.h.buckets.Get(x.r.Context(), x.bucket, x.key)
	if err != nil {
		return err
	}
	defer c.Close()
	out, o := attributes{}, c.Object
	if slices.Contains(wanted, attributeETag) {
		out.ETag = &o.ETag
	}
	if slices.Contains(wanted, attributeChecksum) && o.Checksum != nil {
		sum := *o.Checksum
		sum.Value, _, _ = strings.Cut(sum.Value, "-") // the number of parts is told elsewhere
		sums := checksumsOf(&sum)
		out.Checksum = &sums
	}
	if slices.Contains(wanted, attributeParts) && o.Parts > 0 {
		if out.ObjectParts, err = x.partsOf(c); err != nil {
			return err
		}
	}
	if slices.Contains(wanted, attributeClass) {
		class := classOf(o.Meta)
		out.StorageClass = &class
	}
	if slices.Contains(wanted, attributeSize) {
		out.ObjectSize = &o.Size
	}
	x.w.Header().Set("Last-Modified", httpTime(o.Modified))
	return x.document(out)
}

// wantedAttributes reads the attributes that are asked for.
func (x *exchange) wantedAttributes() ([]string, error) {
	var wanted []string
	for _, list := range x.r.Header.Values(attributesHeader) {
		for name := range strings.SplitSeq(list, ",") {
			switch name = strings.TrimSpace(name); name {
			case attributeETag, attributeChecksum, attributeParts, attributeClass, attributeSize:
				wanted = append(wanted, name)
			default:
				return nil, invalidArgument("Invalid attribute name specified.", strings.ToLower(attributesHeader), list)
			}
		}
	}
	if wanted == nil {
		return nil, invalidRequest("The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty")
	}
	return wanted, nil
}

func (x *exchange) partsOf(c *object.Content) (*objectParts, error) {
	out := &objectParts{TotalPartsCount: c.Object.Parts}
	if c.Object.Checksum == nil || c.Object.Checksum.Type != object.Composite {
		return out, nil
	}
	limit, err := x.headerNumber("X-Amz-Max-Parts", maxList)
	if err != nil {
		return nil, err
	}
	after, err := x.headerNumber("X-Amz-Part-Number-Marker", 0)
	if err != nil {
		return nil, err
	}
	limit = min(limit, maxList)
	parts, more, err := c.Parts(after, limit)
	if err != nil {
		return nil, err
	}
	out.partsPage = &partsPage{PartNumberMarker: after, NextPartNumberMarker: after, MaxParts: limit, IsTruncated: more}
	for _, p := range parts {
		e := partAttributes{PartNumber: p.Number, Size: p.Size}
		if p.Checksum != "" {
			*e.of(p.Algorithm) = p.Checksum
		}
		out.Parts = append(out.Parts, e)
		out.NextPartNumberMarker = p.Number
	}
	return out, nil
}

// headerNumber reads a count from a header.
func (x *exchange) headerNumber(name string, otherwise int) (int, error) {
	text := x.r.Header.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		name = strings.ToLower(name)
		return 0, invalidArgument("Provided "+name+" not an integer or within integer range", name, text)
	}
	return n, nil
}
