package metric

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

const (
	listPage = 500
	// listedFor is how long after its last datapoint a metric is listed.
	listedFor = 14 * 24 * time.Hour
	// recentlyActive is the one value of that filter, PT3H.
	recentlyActive = 3 * time.Hour
	// tokenMark begins the tokens of lists, so that other texts are not taken for one.
	tokenMark = "after:"
)

// DimensionFilter selects metrics that have a dimension, of any value when Value
// is nil.
type DimensionFilter struct {
	Name  string
	Value *string
}

// ListFilter selects metrics; what is zero selects all.
type ListFilter struct {
	Namespace, Name string
	Dimensions      []DimensionFilter
	RecentlyActive  bool // with data in the last three hours
	Token           string
}

// List returns up to 500 metrics that had data in the last two weeks, and a token
// for the following ones, "" when there are none.
func (m *Metrics) List(ctx context.Context, f ListFilter) (metrics []ID, token string, err error) {
	keys := m.index.keys()
	if f.Token != "" {
		text, err := base64.URLEncoding.DecodeString(f.Token)
		after, marked := strings.CutPrefix(string(text), tokenMark)
		if err != nil || !marked {
			return nil, "", errorf(InvalidToken, "The value %s for parameter NextToken is invalid.", f.Token)
		}
		i, found := slices.BinarySearch(keys, after)
		if found {
			i++
		}
		keys = keys[i:]
	}
	since := time.Now().Add(-listedFor).Unix()
	if f.RecentlyActive {
		since = time.Now().Add(-recentlyActive).Unix()
	}
	last := ""
	for _, key := range keys {
		ms, ok := m.index.get(key)
		if !ok || !f.matches(ms.ID) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, "", err
		}
		active, err := m.activeSince(ms.series, since)
		if err != nil {
			return nil, "", err
		}
		if !active {
			continue
		}
		if len(metrics) == listPage {
			return metrics, base64.URLEncoding.EncodeToString([]byte(tokenMark + last)), nil
		}
		metrics = append(metrics, ms.ID)
		last = key
	}
	return metrics, "", nil
}

func (f ListFilter) matches(id ID) bool {
	if f.Namespace != "" && f.Namespace != id.Namespace || f.Name != "" && f.Name != id.Name {
		return false
	}
	for _, want := range f.Dimensions {
		if !slices.ContainsFunc(id.Dimensions, func(d Dimension) bool {
			return d.Name == want.Name && (want.Value == nil || *want.Value == d.Value)
		}) {
			return false
		}
	}
	return true
}

func (m *Metrics) activeSince(all []*series, since int64) (bool, error) {
	for _, s := range all {
		newest, err := m.newestOf(s)
		if err != nil || newest >= since {
			return err == nil, err
		}
	}
	return false, nil
}
