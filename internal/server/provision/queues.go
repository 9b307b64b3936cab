package provision

import (
	"context"
	"errors"
	"maps"
	"path"

	"github.com/weirstream/weir/internal/queue"
	"github.com/weirstream/weir/internal/stack/resource"
)

type queues struct {
	*queue.Queues
	endpoint string
}

func queueError(err error) error {
	var e *queue.Error
	switch {
	case err == nil || !errors.As(err, &e):
		return err
	case e.Code == queue.NotFound:
		return mark(resource.ErrNotFound, err)
	case e.Code == queue.NameExists:
		return mark(resource.ErrAlreadyExists, err)
	}
	return mark(resource.ErrInvalid, err)
}

func (q queues) CreateQueue(ctx context.Context, spec resource.QueueSpec) (string, error) {
	if _, err := q.Create(ctx, spec.Name, spec.Attributes, spec.Tags); err != nil {
		return "", queueError(err)
	}
	return q.endpoint + "/" + q.Account() + "/" + spec.Name, nil
}

func (q queues) UpdateQueue(ctx context.Context, spec resource.QueueSpec) error {
	found, err := q.Get(spec.Name)
	if err != nil {
		return queueError(err)
	}
	attributes := queue.Defaults(found.Definition().FIFO)
	maps.Copy(attributes, spec.Attributes)
	if err := found.SetAttributes(ctx, attributes); err != nil {
		return queueError(err)
	}
	var stale []string
	for key := range found.Definition().Tags {
		if _, keep := spec.Tags[key]; !keep {
			stale = append(stale, key)
		}
	}
	return queueError(found.Tag(ctx, spec.Tags, stale))
}

func (q queues) DeleteQueue(ctx context.Context, name string) error {
	return gone(queueError(q.Delete(ctx, name)))
}

// SetQueuePolicy takes the queue of a URL. Without a policy it takes the policy
// away, also from a queue that is gone.
func (q queues) SetQueuePolicy(ctx context.Context, url, policy string) error {
	found, err := q.Get(path.Base(url))
	if err == nil {
		err = found.SetAttributes(ctx, map[string]string{"Policy": policy})
	}
	if policy == "" {
		return gone(queueError(err))
	}
	return queueError(err)
}
