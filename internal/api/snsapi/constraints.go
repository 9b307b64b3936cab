package snsapi

import (
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/weirstream/weir/internal/api"
)

// violations is the error that lists what does not satisfy the API model.
func violations(c *api.Constraints) error {
	if c.Empty() {
		return nil
	}
	return &api.Error{Code: "ValidationError", Message: c.Message()}
}

func checkTags(c *api.Constraints, tags []types.Tag) {
	for i, t := range tags {
		key, value := api.MemberPath("tags", i, "key"), api.MemberPath("tags", i, "value")
		c.Required(key, t.Key != nil)
		c.Length(key, t.Key, 1, 128)
		c.Required(value, t.Value != nil)
		c.Length(value, t.Value, 0, 256)
	}
}
