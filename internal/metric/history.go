package metric

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/weirstream/weir/internal/store"
)

// The types of history items.
const (
	HistoryConfiguration = "ConfigurationUpdate"
	HistoryState         = "StateUpdate"
	HistoryAction        = "Action"
)

// historyTypes gives each type the byte at the end of an item's key.
var historyTypes = []string{HistoryConfiguration, HistoryState, HistoryAction}

const (
	historyKept    = 14 * 24 * time.Hour
	maxHistory     = 100
	maxSummary     = 255
	maxHistoryData = 4095
)

// HistoryItem is something that happened to an alarm.
type HistoryItem struct {
	Alarm   string
	Time    time.Time
	Type    string
	Summary string
	Data    string // JSON
}

// HistoryFilter selects history items; what is zero selects all.
type HistoryFilter struct {
	Alarm      string
	Type       string
	Start, End time.Time // both inclusive
	Ascending  bool      // oldest first
	Limit      int       // 1 to 100; 0 means 100
	Token      string
}

const (
	whatState   = 's'
	whatHistory = 'h'
	whatPending = 'p'
)

func alarmKey(name string, what byte) []byte {
	return append(store.AppendString(store.Key(store.DomainAlarm, len(name)+16), name), what)
}

// stamp orders what happens to an alarm: by time, and by a number within it.
type stamp struct {
	time int64 // Unix nanoseconds
	n    uint32
}

func (s stamp) append(key []byte) []byte {
	return store.AppendUint32(store.AppendUint64(key, uint64(s.time)), s.n)
}

func (s stamp) compare(o stamp) int {
	return cmp.Or(cmp.Compare(s.time, o.time), cmp.Compare(s.n, o.n))
}

// nextStamp is later than every stamp before. The caller holds changing.
func (a *Alarms) nextStamp(now time.Time) stamp {
	next := stamp{now.UnixNano(), 0}
	if next.time <= a.last.time {
		next = stamp{a.last.time, a.last.n + 1}
	}
	a.last = next
	return next
}

// record adds a history item as part of tx.
func (a *Alarms) record(tx *store.Tx, item HistoryItem) error {
	item.Summary, item.Data = clip(item.Summary, maxSummary), clip(item.Data, maxHistoryData)
	doc, err := json.Marshal(item)
	if err != nil {
		return fmt.Errorf("history of alarm %s: %w", item.Alarm, err)
	}
	key := a.nextStamp(item.Time).append(alarmKey(item.Alarm, whatHistory))
	tx.Set(append(key, byte(slices.Index(historyTypes, item.Type))), doc)
	return nil
}

// historyRef is a history item by its key.
type historyRef struct {
	key []byte
	stamp
}

// History returns up to Limit items and a token for the following ones. Items are
// kept for two weeks, also those of deleted alarms.
func (a *Alarms) History(ctx context.Context, f HistoryFilter) (items []HistoryItem, token string, err error) {
	if f.Limit == 0 {
		f.Limit = maxHistory
	}
	after, err := parseStamp(f.Token)
	if err != nil {
		return nil, "", err
	}
	refs, err := a.historyRefs(ctx, f)
	if err != nil {
		return nil, "", err
	}
	if f.Token != "" {
		i, found := slices.BinarySearchFunc(refs, after, func(r historyRef, s stamp) int { return f.order(r.stamp, s) })
		if found {
			i++
		}
		refs = refs[i:]
	}
	if len(refs) > f.Limit {
		refs = refs[:f.Limit]
		token = refs[f.Limit-1].String()
	}
	for _, ref := range refs {
		doc, ok, err := a.db.Get(ref.key)
		if err != nil {
			return nil, "", err
		}
		if !ok { // dropped meanwhile
			continue
		}
		var item HistoryItem
		if err := json.Unmarshal(doc, &item); err != nil {
			return nil, "", fmt.Errorf("history item: %w", err)
		}
		items = append(items, item)
	}
	return items, token, nil
}

// order compares stamps in the order asked for.
func (f HistoryFilter) order(x, y stamp) int {
	if f.Ascending {
		return x.compare(y)
	}
	return y.compare(x)
}

// historyRefs finds the items that a filter selects, in the order asked for.
func (a *Alarms) historyRefs(ctx context.Context, f HistoryFilter) ([]historyRef, error) {
	from := store.Key(store.DomainAlarm, 0)
	to := store.PrefixEnd(from)
	if f.Alarm != "" {
		from = alarmKey(f.Alarm, whatHistory)
		to = store.PrefixEnd(from)
	}
	oldest := time.Now().Add(-historyKept)
	if f.Start.After(oldest) {
		oldest = f.Start
	}
	it, err := a.db.Scan(from, to)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	var refs []historyRef
	for ok := it.First(); ok; ok = it.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		at, kind, ok := parseHistoryKey(it.Key())
		if !ok || f.Type != "" && f.Type != kind || at.time < oldest.UnixNano() {
			continue
		}
		if !f.End.IsZero() && at.time > f.End.UnixNano() {
			continue
		}
		refs = append(refs, historyRef{slices.Clone(it.Key()), at})
	}
	slices.SortFunc(refs, func(x, y historyRef) int { return f.order(x.stamp, y.stamp) })
	return refs, it.Close()
}

// parseHistoryKey takes an item's key apart; ok is false for other keys.
func parseHistoryKey(key []byte) (at stamp, kind string, ok bool) {
	_, rest, err := store.CutString(key[1:])
	if err != nil || len(rest) != 1+8+4+1 || rest[0] != whatHistory || int(rest[13]) >= len(historyTypes) {
		return stamp{}, "", false
	}
	return stamp{int64(binary.BigEndian.Uint64(rest[1:])), binary.BigEndian.Uint32(rest[9:])}, historyTypes[rest[13]], true
}

func (s stamp) String() string {
	return base64.URLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", s.time, s.n))
}

func parseStamp(token string) (s stamp, err error) {
	if token == "" {
		return stamp{}, nil
	}
	text, err := base64.URLEncoding.DecodeString(token)
	if err == nil {
		_, err = fmt.Sscanf(string(text), "%d.%d", &s.time, &s.n)
	}
	if err != nil {
		return stamp{}, errorf(InvalidToken, "The value %s for parameter NextToken is invalid.", token)
	}
	return s, nil
}

// forgetHistory drops the items that are older than the history is kept.
func (a *Alarms) forgetHistory() error {
	from := store.Key(store.DomainAlarm, 0)
	it, err := a.db.Scan(from, store.PrefixEnd(from))
	if err != nil {
		return err
	}
	defer it.Close()
	tx := a.db.Begin()
	defer tx.Discard()
	oldest := time.Now().Add(-historyKept).UnixNano()
	for ok := it.First(); ok; ok = it.Next() {
		if at, _, ok := parseHistoryKey(it.Key()); ok && at.time < oldest {
			tx.Delete(it.Key())
		}
	}
	if err := it.Close(); err != nil || tx.Empty() {
		return err
	}
	return tx.Commit()
}
