package table

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/weirstream/weir/internal/table/attr"
)

// Changes is what UpdateTable is to change; nil and "" leave things as they are.
type Changes struct {
	BillingMode        string
	Throughput         *Throughput
	Stream             *StreamSpec
	DeletionProtection *bool
	Class              string
}

func (c *Changes) check() error {
	if c.BillingMode == "" && c.Throughput == nil && c.Stream == nil && c.DeletionProtection == nil && c.Class == "" {
		return attr.Invalidf("At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required")
	}
	if c.BillingMode == "PROVISIONED" && c.Throughput == nil {
		return invalidParameter("ProvisionedThroughput must be specified when BillingMode is PROVISIONED")
	}
	if c.Throughput != nil {
		return c.Throughput.check()
	}
	return nil
}

// UpdateTable changes a table. The changes are made when it returns, though the
// description says that they are under way.
func (t *Tables) UpdateTable(nameOrARN string, c Changes) (Description, error) {
	if err := c.check(); err != nil {
		return Description{}, err
	}
	t.lifecycle.Lock()
	defer t.lifecycle.Unlock()
	tab, ok := t.lookup(nameOrARN)
	if !ok {
		return Description{}, noTable(t.tableName(nameOrARN))
	}
	before := *tab.definition.Load()
	def := before
	if err := def.change(c, time.Now().UTC()); err != nil {
		return Description{}, err
	}
	if err := t.storeChanges(tab, def, c.Stream); err != nil {
		return Description{}, err
	}
	d := t.describe(tab, Updating)
	if !before.OnDemand && !def.OnDemand {
		// As the service has it, throughput is what it was while it changes.
		d.Read, d.Write, d.DecreasesToday = before.Read, before.Write, before.decreasesToday(time.Now())
	}
	return d, nil
}

// storeChanges makes def the definition of a table and turns its stream on or off.
func (t *Tables) storeChanges(tab *table, def definition, spec *StreamSpec) error {
	tx := t.cfg.DB.Begin()
	defer tx.Discard()
	current := tab.changes.Load()
	next := current
	var closing *ChangeStream
	switch {
	case spec == nil:
	case spec.Enabled && current != nil:
		return attr.Invalidf("Table already has an enabled stream: TableName: %s", def.Name)
	case spec.Enabled:
		if err := spec.check(); err != nil {
			return err
		}
		s, err := t.enableStream(tx, &def, spec.View)
		if err != nil {
			return err
		}
		next = s
	case spec.View != "":
		return attr.Invalidf("Invalid StreamViewType: Stream StreamEnabled was false but a StreamViewType was present.")
	case current == nil:
		return attr.Invalidf("Table does not have a stream to disable: TableName: %s", def.Name)
	default:
		closing, next = current, nil
	}
	if err := t.defs.PutIn(tx, def.Name, def); err != nil {
		return err
	}
	if err := t.commitStreamChange(tx, closing); err != nil {
		return fmt.Errorf("update table %s: %w", def.Name, err)
	}
	tab.definition.Store(&def)
	tab.changes.Store(next)
	return nil
}

func (d *definition) change(c Changes, now time.Time) error {
	onDemand := d.OnDemand
	if c.BillingMode != "" {
		onDemand = c.BillingMode == payPerRequest
		d.BillingChanged = true
	}
	if c.Throughput != nil {
		if onDemand {
			return errOnDemandThroughput
		}
		if err := d.changeThroughput(*c.Throughput, now); err != nil {
			return err
		}
	}
	if onDemand && !d.OnDemand {
		d.OnDemandSince = now
		d.Read, d.Write = 0, 0
	}
	d.OnDemand = onDemand
	if c.DeletionProtection != nil {
		d.DeletionProtection = *c.DeletionProtection
	}
	if c.Class != "" {
		d.Class = c.Class
	}
	return nil
}

func (d *definition) changeThroughput(p Throughput, now time.Time) error {
	if d.Read == p.Read && d.Write == p.Write {
		return attr.Invalidf("The provisioned throughput for the table will not change. The requested value equals the current value. "+
			"Current ReadCapacityUnits provisioned for the table: %d. Requested ReadCapacityUnits: %d. "+
			"Current WriteCapacityUnits provisioned for the table: %d. Requested WriteCapacityUnits: %d. "+
			"Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
			d.Read, p.Read, d.Write, p.Write)
	}
	if p.Read > d.Read || p.Write > d.Write {
		d.LastIncrease = now
	}
	if p.Read < d.Read || p.Write < d.Write {
		d.Decreases = d.decreasesToday(now) + 1
		d.LastDecrease = now
	}
	d.Read, d.Write = p.Read, p.Write
	return nil
}

// maxTags is how many tags a table can have.
const maxTags = 50

// TagTable adds tags to a table or replaces their values.
func (t *Tables) TagTable(arn string, tags map[string]string) error {
	return t.changeTags(arn, func(all map[string]string) error {
		maps.Copy(all, tags)
		return checkTagCount(all)
	})
}

func checkTagCount(tags map[string]string) error {
	if len(tags) > maxTags {
		return attr.Invalidf("Number of tags exceeds the limit of %d", maxTags)
	}
	return nil
}

// UntagTable removes tags from a table.
func (t *Tables) UntagTable(arn string, keys []string) error {
	err := t.changeTags(arn, func(all map[string]string) error {
		for _, k := range keys {
			delete(all, k)
		}
		return nil
	})
	if notFound := (*NotFoundError)(nil); errors.As(err, &notFound) {
		return errNoTable // the one of the three that does not tell the ARN
	}
	return err
}

func (t *Tables) changeTags(arn string, change func(map[string]string) error) error {
	t.lifecycle.Lock()
	defer t.lifecycle.Unlock()
	tab, ok := t.lookup(arn)
	if !ok {
		return noTaggedTable(arn)
	}
	def := *tab.definition.Load()
	def.Tags = maps.Clone(def.Tags)
	if def.Tags == nil {
		def.Tags = map[string]string{}
	}
	if err := change(def.Tags); err != nil {
		return err
	}
	return t.storeChanges(tab, def, nil)
}

// Tag is a key with a value.
type Tag struct{ Key, Value string }

// Tags returns the tags of a table in the order of their keys.
func (t *Tables) Tags(arn string) ([]Tag, error) {
	t.lifecycle.RLock()
	defer t.lifecycle.RUnlock()
	tab, ok := t.lookup(arn)
	if !ok {
		return nil, noTaggedTable(arn)
	}
	all := tab.definition.Load().Tags
	tags := make([]Tag, 0, len(all))
	for _, k := range slices.Sorted(maps.Keys(all)) {
		tags = append(tags, Tag{k, all[k]})
	}
	return tags, nil
}

func noTaggedTable(arn string) error {
	return &NotFoundError{fmt.Sprintf("Requested resource not found: ResourcArn: %s not found", arn)}
}
