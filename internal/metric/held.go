package metric

import (
	"context"
	"slices"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/transaction"
)

// held is the datapoints that a transaction adds.
type held struct {
	m       *Metrics
	entries []entry
}

// datumOverhead is about what a held datum takes besides its values.
const datumOverhead = 512

// PutIn is Put as part of a transaction. Datapoints that have no time get that of
// the call.
func (m *Metrics) PutIn(ctx context.Context, tx *transaction.Tx, namespace string, data []Datum) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := checkData(namespace, data); err != nil {
		return err
	}
	bytes := len(data) * datumOverhead
	for i := range data {
		bytes += 8 * (len(data[i].Values) + len(data[i].Counts))
	}
	return tx.Do(func() error {
		if err := tx.Grow(len(data), bytes); err != nil {
			return err
		}
		p := transaction.PartOf(tx, transaction.Metrics, func() *held { return &held{m: m} })
		p.entries = append(p.entries, entriesOf(namespace, data)...)
		return nil
	})
}

// Prepare implements transaction.Part.
func (p *held) Prepare(tx *store.Tx) error {
	p.m.writing.Lock()
	tx.OnDurable(func() { p.m.announce(metricsOf(p.entries)) })
	return p.m.stage(tx, p.entries)
}

// Announce implements transaction.Part.
func (p *held) Announce() {}

// Release implements transaction.Part.
func (p *held) Release(bool) { p.m.writing.Unlock() }

// metricsOf returns the keys of the metrics that entries belong to.
func metricsOf(entries []entry) []string {
	keys := make([]string, 0, len(entries))
	for _, e := range entries {
		keys = append(keys, e.metric.key())
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
