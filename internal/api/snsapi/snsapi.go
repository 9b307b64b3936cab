// Package snsapi is the SNS API over package notify, and the few pages that links
// in notifications lead to.
//
// It decodes, calls the domain and encodes. Operations for mobile push and text
// messages do not exist here.
package snsapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/notify"
)

// maxRequest bounds a request: a batch of 256 KiB, escaped in a form.
const maxRequest = 2 << 20

type handlers struct{ topics *notify.Topics }

// New returns the service.
func New(topics *notify.Topics) *api.Service {
	h := handlers{topics}
	return &api.Service{
		Name:            "sns",
		QueryVersion:    "2010-03-31",
		XMLNamespace:    "http://sns.amazonaws.com/doc/2010-03-31/",
		MaxRequestBytes: maxRequest,
		ErrorStatus: map[string]int{
			string(notify.NotFound):         http.StatusNotFound,
			string(notify.ResourceNotFound): http.StatusNotFound,
			string(notify.NotAuthorized):    http.StatusForbidden,
			string(notify.FilterLimit):      http.StatusForbidden,
		},
		Operations: []api.Operation{
			api.Op("CreateTopic", nil, nil, nil, h.createTopic),
			api.Op("DeleteTopic", nil, nil, nil, h.deleteTopic),
			api.Op("ListTopics", nil, nil, nil, h.listTopics),
			api.Op("GetTopicAttributes", nil, nil, nil, h.getTopicAttributes),
			api.Op("SetTopicAttributes", nil, nil, nil, h.setTopicAttributes),
			api.Op("Subscribe", nil, nil, nil, h.subscribe),
			api.Op("ConfirmSubscription", nil, nil, nil, h.confirmSubscription),
			api.Op("Unsubscribe", nil, nil, nil, h.unsubscribe),
			api.Op("ListSubscriptions", nil, nil, nil, h.listSubscriptions),
			api.Op("ListSubscriptionsByTopic", nil, nil, nil, h.listSubscriptionsByTopic),
			api.Op("GetSubscriptionAttributes", nil, nil, nil, h.getSubscriptionAttributes),
			api.Op("SetSubscriptionAttributes", nil, nil, nil, h.setSubscriptionAttributes),
			api.Op("Publish", nil, nil, nil, h.publish),
			api.Op("PublishBatch", nil, nil, nil, h.publishBatch),
			api.Op("AddPermission", nil, nil, nil, h.addPermission),
			api.Op("RemovePermission", nil, nil, nil, h.removePermission),
			api.Op("TagResource", nil, nil, nil, h.tagResource),
			api.Op("UntagResource", nil, nil, nil, h.untagResource),
			api.Op("ListTagsForResource", nil, nil, nil, h.listTagsForResource),
		},
	}
}

// exception maps errors of the domain to those of the API; their codes are the
// service's.
func exception(err error) error {
	var e *notify.Error
	if !errors.As(err, &e) {
		return err
	}
	return &api.Error{Code: string(e.Code), Message: e.Message}
}

func invalid(message string) error {
	return &api.Error{Code: string(notify.InvalidParameter), Message: "Invalid parameter: " + message}
}

// signed reports whether the request that ctx belongs to carries a signature, as
// those by links in messages do not.
func signed(ctx context.Context) bool { return api.CallerOf(ctx).AccessKeyID != "" }
