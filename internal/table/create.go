package table

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weirstream/weir/internal/store"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table/attr"
)

// Throughput is provisioned capacity in units per second.
type Throughput struct{ Read, Write int64 }

const maxThroughput = 1_000_000_000_000

func (p *Throughput) check() error {
	if p.Read > maxThroughput {
		return attr.Invalidf("Given value %d for ReadCapacityUnits is out of bounds", p.Read)
	}
	if p.Write > maxThroughput {
		return attr.Invalidf("Given value %d for WriteCapacityUnits is out of bounds", p.Write)
	}
	return nil
}

// KeyElement is an attribute of a key schema: its role is HASH or RANGE.
type KeyElement struct{ Name, Role string }

// StreamSpec asks for a stream, or for none.
type StreamSpec struct {
	Enabled bool
	View    StreamView // "" if not given
}

// Spec is what a table is to be like.
type Spec struct {
	Name               string
	Attributes         []KeyAttribute
	Key                []KeyElement
	BillingMode        string // PROVISIONED, PAY_PER_REQUEST or ""
	Throughput         *Throughput
	Stream             *StreamSpec
	DeletionProtection bool
	Class              string
	Tags               map[string]string
}

const payPerRequest = "PAY_PER_REQUEST"

// CreateTable makes a table. It is there when CreateTable returns, though the
// description says that it is being created. The name may be the ARN that the table
// will have.
func (t *Tables) CreateTable(spec Spec) (Description, error) {
	if spec.Name = t.tableName(spec.Name); strings.HasPrefix(spec.Name, "arn:") {
		return Description{}, attr.Invalidf("Invalid TableArn: Invalid ResourceArn provided as input %s", spec.Name)
	}
	def, err := spec.definition()
	if err != nil {
		return Description{}, err
	}
	if spec.Stream != nil {
		if err := spec.Stream.check(); err != nil {
			return Description{}, err
		}
	}
	t.lifecycle.Lock()
	defer t.lifecycle.Unlock()
	if _, ok := t.tables[spec.Name]; ok {
		return Description{}, &InUseError{"Table already exists: " + spec.Name}
	}
	tx := t.cfg.DB.Begin()
	defer tx.Discard()
	def.ID = t.nextID
	tx.Set(nextIDKey(), store.AppendUint64(nil, def.ID+1))
	tab := t.newTable(def)
	if spec.Stream != nil && spec.Stream.Enabled {
		s, err := t.enableStream(tx, &def, spec.Stream.View)
		if err != nil {
			return Description{}, err
		}
		tab.changes.Store(s)
	}
	tab.definition.Store(&def)
	if err := t.defs.PutIn(tx, def.Name, def); err != nil {
		return Description{}, err
	}
	if err := tx.Commit(); err != nil {
		return Description{}, fmt.Errorf("create table %s: %w", def.Name, err)
	}
	t.nextID++
	t.tables[def.Name] = tab
	return t.describe(tab, Creating), nil
}

// definition checks the specification and returns the table that it asks for.
func (s *Spec) definition() (definition, error) {
	def := definition{
		Name:               s.Name,
		UUID:               uuid.NewString(),
		Created:            time.Now().UTC(),
		OnDemand:           s.BillingMode == payPerRequest,
		BillingChanged:     s.BillingMode == payPerRequest,
		DeletionProtection: s.DeletionProtection,
		Class:              s.Class,
		Tags:               s.Tags,
	}
	if err := s.checkThroughput(); err != nil {
		return def, err
	}
	if def.OnDemand {
		def.OnDemandSince = def.Created
	} else {
		def.Read, def.Write = s.Throughput.Read, s.Throughput.Write
	}
	if err := s.resolveKey(&def); err != nil {
		return def, err
	}
	return def, checkTagCount(s.Tags)
}

func (s *Spec) checkThroughput() error {
	if s.BillingMode == payPerRequest {
		if s.Throughput != nil {
			return errOnDemandThroughput
		}
		return nil
	}
	if s.Throughput == nil || s.Throughput.Read == 0 || s.Throughput.Write == 0 {
		return invalidParameter("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
	}
	return s.Throughput.check()
}

var errOnDemandThroughput = invalidParameter("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST")

// resolveKey finds the types of the key attributes.
func (s *Spec) resolveKey(def *definition) error {
	for i, a := range s.Attributes {
		if slices.ContainsFunc(s.Attributes[:i], func(b KeyAttribute) bool { return a.Name == b.Name }) {
			return invalidParameter("Duplicate AttributeName in AttributeDefinitions: %s", a.Name)
		}
	}
	if len(s.Key) > len(s.Attributes) {
		return attr.Invalidf("Invalid KeySchema: Some index key attribute have no definition")
	}
	for _, k := range s.Key {
		i := slices.IndexFunc(s.Attributes, func(a KeyAttribute) bool { return a.Name == k.Name })
		if i < 0 {
			return s.undefinedKey()
		}
		def.Key = append(def.Key, s.Attributes[i])
	}
	switch {
	case len(s.Key) == 2 && s.Key[0].Name == s.Key[1].Name:
		return attr.Invalidf("Both the Hash Key and the Range Key element in the KeySchema have the same name")
	case s.Key[0].Role != "HASH":
		return attr.Invalidf("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
	case len(s.Key) == 2 && s.Key[1].Role != "RANGE":
		return attr.Invalidf("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
	case len(s.Key) != len(s.Attributes):
		return invalidParameter("Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions")
	}
	return nil
}

func (s *Spec) undefinedKey() error {
	var keys, attributes []string
	for _, k := range s.Key {
		keys = append(keys, k.Name)
	}
	for _, a := range s.Attributes {
		attributes = append(attributes, a.Name)
	}
	return invalidParameter("Some index key attributes are not defined in AttributeDefinitions. Keys: [%s], AttributeDefinitions: [%s]",
		strings.Join(keys, ", "), strings.Join(attributes, ", "))
}

func (s *StreamSpec) check() error {
	if !s.Enabled && s.View != "" {
		return invalidParameter("Table is being created with a stream disabled, UpdateViewType should not be specified")
	}
	if s.Enabled && s.View == "" {
		return invalidParameter("StreamViewType is required when StreamEnabled is true")
	}
	return nil
}

// DescribeTable describes a table.
func (t *Tables) DescribeTable(nameOrARN string) (Description, error) {
	t.lifecycle.RLock()
	defer t.lifecycle.RUnlock()
	tab, ok := t.lookup(nameOrARN)
	if !ok {
		return Description{}, noTable(t.tableName(nameOrARN))
	}
	return t.describe(tab, Active), nil
}

func (t *Tables) describe(tab *table, status Status) Description {
	def := tab.definition.Load()
	d := Description{
		Name:               def.Name,
		ARN:                t.tableARN(def.Name),
		ID:                 def.UUID,
		Status:             status,
		Created:            def.Created,
		Key:                def.Key,
		OnDemand:           def.OnDemand,
		BillingMode:        def.BillingChanged,
		OnDemandSince:      def.OnDemandSince,
		Read:               def.Read,
		Write:              def.Write,
		LastIncrease:       def.LastIncrease,
		LastDecrease:       def.LastDecrease,
		DecreasesToday:     def.decreasesToday(time.Now()),
		DeletionProtection: def.DeletionProtection,
		Class:              def.Class,
		Items:              tab.items.Load(),
		Bytes:              tab.bytes.Load(),
		StreamARN:          def.Stream,
	}
	if _, label, ok := strings.Cut(def.Stream, "/stream/"); ok {
		d.StreamLabel = label
	}
	if s := tab.changes.Load(); s != nil {
		d.StreamEnabled, d.View = true, s.View()
	}
	return d
}

// ListTables returns up to limit names of tables after the given one, in byte order,
// and whether there are more.
func (t *Tables) ListTables(after string, limit int) (names []string, more bool) {
	names = t.defs.Names()
	if after != "" {
		i, found := slices.BinarySearch(names, after)
		if found {
			i++
		}
		names = names[i:]
	}
	if len(names) > limit {
		return names[:limit], true
	}
	return names, false
}

// DeleteTable removes a table and its items. Its stream stays readable for a day.
func (t *Tables) DeleteTable(nameOrARN string) (Description, error) {
	t.lifecycle.Lock()
	defer t.lifecycle.Unlock()
	tab, ok := t.lookup(nameOrARN)
	if !ok {
		return Description{}, noTable(t.tableName(nameOrARN))
	}
	if tab.definition.Load().DeletionProtection {
		return Description{}, attr.Invalidf("Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.")
	}
	d := t.describe(tab, Deleting)
	tx := t.cfg.DB.Begin()
	defer tx.Discard()
	t.defs.DeleteIn(tx, tab.name)
	for _, prefix := range [][]byte{tablePrefix(tab.id), store.AppendUint64(store.Key(store.DomainTable, 8), tab.id)} {
		tx.DeleteRange(prefix, store.PrefixEnd(prefix))
	}
	if err := t.commitStreamChange(tx, tab.changes.Load()); err != nil {
		return d, fmt.Errorf("delete table %s: %w", tab.name, err)
	}
	delete(t.tables, tab.name)
	t.cfg.Meter.Forget(namespace, tableDimension(tab.name))
	return d, nil
}

// commitStreamChange commits tx, which also closes the given stream unless it is
// nil.
func (t *Tables) commitStreamChange(tx *store.Tx, closing *ChangeStream) error {
	var a *stream.Appender
	if closing != nil {
		var err error
		if a, err = t.disableStream(tx, closing); err != nil {
			return err
		}
	}
	err := tx.Apply()
	if a != nil {
		a.Unlock()
	}
	if err != nil {
		return err
	}
	return tx.Wait()
}
