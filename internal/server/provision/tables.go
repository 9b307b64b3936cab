package provision

import (
	"context"
	"errors"
	"slices"

	"github.com/weirstream/weir/internal/stack/resource"
	"github.com/weirstream/weir/internal/table"
)

type tables struct{ *table.Tables }

func tableError(err error) error {
	var missing *table.NotFoundError
	var used *table.InUseError
	var invalid *table.InvalidError
	switch {
	case errors.As(err, &missing):
		return mark(resource.ErrNotFound, err)
	case errors.As(err, &used):
		return mark(resource.ErrAlreadyExists, err)
	case errors.As(err, &invalid):
		return mark(resource.ErrInvalid, err)
	}
	return err
}

func (t tables) CreateTable(_ context.Context, spec resource.TableSpec) (resource.TableMade, error) {
	def := table.Spec{
		Name: spec.Name, BillingMode: spec.BillingMode, Throughput: throughput(spec), Stream: streamSpec(spec),
		DeletionProtection: spec.DeletionProtection, Class: spec.TableClass, Tags: spec.Tags,
	}
	for _, a := range spec.Attributes {
		def.Attributes = append(def.Attributes, table.KeyAttribute{Name: a.Name, Type: a.Type})
	}
	for _, k := range spec.Keys {
		def.Key = append(def.Key, table.KeyElement{Name: k.Name, Role: k.Type})
	}
	d, err := t.Tables.CreateTable(def)
	return made(d), tableError(err)
}

func throughput(spec resource.TableSpec) *table.Throughput {
	if spec.ReadUnits == 0 && spec.WriteUnits == 0 {
		return nil
	}
	return &table.Throughput{Read: int64(spec.ReadUnits), Write: int64(spec.WriteUnits)}
}

func streamSpec(spec resource.TableSpec) *table.StreamSpec {
	if spec.StreamView == "" {
		return nil
	}
	return &table.StreamSpec{Enabled: true, View: table.StreamView(spec.StreamView)}
}

func made(d table.Description) resource.TableMade {
	m := resource.TableMade{ARN: d.ARN}
	if d.StreamEnabled {
		m.StreamARN = d.StreamARN
	}
	return m
}

func (t tables) UpdateTable(ctx context.Context, spec resource.TableSpec) (resource.TableMade, error) {
	d, err := t.DescribeTable(spec.Name)
	if err != nil {
		return resource.TableMade{}, tableError(err)
	}
	if err := t.updateStream(d, spec); err != nil {
		return resource.TableMade{}, tableError(err)
	}
	protect := spec.DeletionProtection
	c := table.Changes{DeletionProtection: &protect, Class: spec.TableClass}
	if onDemand := spec.BillingMode == "PAY_PER_REQUEST"; onDemand != d.OnDemand {
		c.BillingMode = spec.BillingMode
		if !onDemand {
			c.BillingMode = "PROVISIONED"
		}
	}
	if want := throughput(spec); want != nil && (want.Read != d.Read || want.Write != d.Write) {
		c.Throughput = want
	}
	if d, err = t.Tables.UpdateTable(spec.Name, c); err != nil {
		return resource.TableMade{}, tableError(err)
	}
	return made(d), tableError(t.setTags(d.ARN, spec.Tags))
}

// updateStream gives the table the stream that it should have. Another view means
// another stream, as the view of a stream cannot be changed.
func (t tables) updateStream(d table.Description, spec resource.TableSpec) error {
	want := table.StreamView(spec.StreamView)
	if d.StreamEnabled && d.View != want {
		if _, err := t.Tables.UpdateTable(d.Name, table.Changes{Stream: &table.StreamSpec{}}); err != nil {
			return err
		}
		d.StreamEnabled = false
	}
	if want == "" || d.StreamEnabled {
		return nil
	}
	_, err := t.Tables.UpdateTable(d.Name, table.Changes{Stream: &table.StreamSpec{Enabled: true, View: want}})
	return err
}

func (t tables) setTags(arn string, tags map[string]string) error {
	old, err := t.Tags(arn)
	if err != nil {
		return err
	}
	var stale []string
	for _, tag := range old {
		if _, keep := tags[tag.Key]; !keep {
			stale = append(stale, tag.Key)
		}
	}
	slices.Sort(stale)
	if len(stale) > 0 {
		if err := t.UntagTable(arn, stale); err != nil {
			return err
		}
	}
	if len(tags) == 0 {
		return nil
	}
	return t.TagTable(arn, tags)
}

func (t tables) DeleteTable(_ context.Context, name string) error {
	_, err := t.Tables.DeleteTable(name)
	return gone(tableError(err))
}
