// Package provision makes the resources of stacks in the domain packages: it
// adapts each domain to the provider that package stack/resource declares.
package provision

import (
	"context"
	"errors"
	"fmt"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/function"
	"github.com/weirstream/weir/internal/mapping"
	"github.com/weirstream/weir/internal/metric"
	"github.com/weirstream/weir/internal/notify"
	"github.com/weirstream/weir/internal/object"
	"github.com/weirstream/weir/internal/queue"
	"github.com/weirstream/weir/internal/stack/resource"
	"github.com/weirstream/weir/internal/stream"
	"github.com/weirstream/weir/internal/table"
)

// Domains are the packages in which resources are made.
type Domains struct {
	Identity   catalog.Identity
	Streams    *stream.Streams
	Tables     *table.Tables
	Functions  *function.Functions
	Logs       *function.Logs
	Mappings   *mapping.Mappings
	Topics     *notify.Topics
	Buckets    *object.Buckets
	Alarms     *metric.Alarms
	Dashboards *metric.Dashboards
	Queues     *queue.Queues
	Endpoint   string // of this server, for the URLs of queues
}

// Providers returns the providers for all resource types.
func Providers(d Domains) resource.Providers {
	return resource.Providers{
		Streams:     streams{d.Streams},
		Tables:      tables{d.Tables},
		Functions:   functions{d.Functions, d.Identity},
		Mappings:    mappings{d.Mappings},
		Topics:      topics{d.Topics},
		Buckets:     buckets{d.Buckets},
		Queues:      queues{d.Queues, d.Endpoint},
		Alarms:      alarms{d.Alarms},
		Dashboards:  dashboards{d.Dashboards},
		LogGroups:   logGroups{d.Logs},
		Permissions: permissions{d.Functions},
		Exists:      d.exists,
	}
}

// exists reports whether a resource of a type has a name.
func (d Domains) exists(ctx context.Context, resourceType, name string) (bool, error) {
	var err error
	switch resourceType {
	case "AWS::Kinesis::Stream":
		_, err = d.Streams.Get(name)
		err = streamError(err)
	case "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable":
		_, err = d.Tables.DescribeTable(name)
		err = tableError(err)
	case "AWS::Lambda::Function":
		_, err = d.Functions.Get(name)
		err = functionError(err)
	case "AWS::S3::Bucket":
		return d.Buckets.Exists(name), nil
	case "AWS::SNS::Topic":
		_, err = d.Topics.Topic(ctx, d.Identity.ARN("sns", name))
		err = topicError(err)
	case "AWS::SQS::Queue":
		_, err = d.Queues.Get(name)
		err = queueError(err)
	case "AWS::CloudWatch::Alarm":
		_, ok := d.Alarms.Get(name)
		return ok, nil
	case "AWS::CloudWatch::Dashboard":
		_, err = d.Dashboards.Get(name)
		err = metricError(err)
	case "AWS::Logs::LogGroup":
		groups, err := d.Logs.Groups(ctx, name, "")
		return err == nil && len(groups) > 0 && groups[0].Name == name && !groups[0].Implied, err
	default:
		return false, nil
	}
	if errors.Is(err, resource.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// mark wraps an error of a domain with the class that stacks tell apart.
func mark(class, err error) error { return fmt.Errorf("%w: %w", class, err) }

// gone turns the absence of what is to be deleted into success.
func gone(err error) error {
	if errors.Is(err, resource.ErrNotFound) {
		return nil
	}
	return err
}
