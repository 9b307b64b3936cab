// Package logsapi speaks the part of the CloudWatch Logs API that reads, and
// writes, log groups, streams and events. The logs are those of package
// function.
package logsapi

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/function"
)

// New returns the CloudWatch Logs API of logs.
func New(logs *function.Logs) *api.Service {
	h := handlers{logs}
	return &api.Service{
		Name:         "logs",
		TargetPrefix: "Logs_20140328",
		JSONVersion:  "1.1",
		Operations: []api.Operation{
			api.Op("DescribeLogGroups", schemas.DescribeLogGroups, schemas.DescribeLogGroupsRequest, schemas.DescribeLogGroupsResponse, h.describeLogGroups),
			api.Op("CreateLogGroup", schemas.CreateLogGroup, schemas.CreateLogGroupRequest, nil, h.createLogGroup),
			api.Op("DeleteLogGroup", schemas.DeleteLogGroup, schemas.DeleteLogGroupRequest, nil, h.deleteLogGroup),
			api.Op("PutRetentionPolicy", schemas.PutRetentionPolicy, schemas.PutRetentionPolicyRequest, nil, h.putRetentionPolicy),
			api.Op("DeleteRetentionPolicy", schemas.DeleteRetentionPolicy, schemas.DeleteRetentionPolicyRequest, nil, h.deleteRetentionPolicy),
			api.Op("DescribeLogStreams", schemas.DescribeLogStreams, schemas.DescribeLogStreamsRequest, schemas.DescribeLogStreamsResponse, h.describeLogStreams),
			api.Op("CreateLogStream", schemas.CreateLogStream, schemas.CreateLogStreamRequest, nil, h.createLogStream),
			api.Op("DeleteLogStream", schemas.DeleteLogStream, schemas.DeleteLogStreamRequest, nil, h.deleteLogStream),
			api.Op("GetLogEvents", schemas.GetLogEvents, schemas.GetLogEventsRequest, schemas.GetLogEventsResponse, h.getLogEvents),
			api.Op("FilterLogEvents", schemas.FilterLogEvents, schemas.FilterLogEventsRequest, schemas.FilterLogEventsResponse, h.filterLogEvents),
			api.Op("PutLogEvents", schemas.PutLogEvents, schemas.PutLogEventsRequest, schemas.PutLogEventsResponse, h.putLogEvents),
		},
	}
}

type handlers struct{ logs *function.Logs }

// exception maps errors of package function to those of the API.
func exception(err error) error {
	if err == nil {
		return nil
	}
	text := aws.String(err.Error())
	switch {
	case errors.Is(err, function.ErrNotFound):
		return &types.ResourceNotFoundException{Message: text}
	case errors.Is(err, function.ErrExists):
		return &types.ResourceAlreadyExistsException{Message: text}
	case errors.Is(err, function.ErrInvalid):
		return &types.InvalidParameterException{Message: text}
	case errors.Is(err, function.ErrClosed):
		return &api.Error{Code: "ServiceUnavailableException", Message: "The server is shutting down", Status: http.StatusInternalServerError, Cause: err}
	}
	return err
}

func invalid(text string) error { return &types.InvalidParameterException{Message: &text} }

// violations returns the error of a request that breaks declared constraints.
func violations(c *api.Constraints) error {
	if c.Empty() {
		return nil
	}
	return invalid(c.Message())
}

// identifiers is what names and ARNs of groups are made of.
const identifiers = `[\w#+=/:,.@-]*`

var (
	groupPattern      = api.MustPattern(`[\.\-_/#A-Za-z0-9]+`)
	searchPattern     = api.MustPattern(`[\.\-_/#A-Za-z0-9]*`)
	identifierPattern = api.MustPattern(identifiers)
	streamPattern     = api.MustPattern(`[^:*]*`)
)

var (
	tagKeyPattern   = api.MustPattern(`^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$`)
	tagValuePattern = api.MustPattern(`^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`)
)

// checkTags constrains tags; a wrong one is reported with all of them.
func checkTags(c *api.Constraints, tags map[string]string) {
	c.MapSize("tags", tags, 1, 50)
	var keys, values bool
	for key, value := range tags {
		keys = keys || key == "" || api.UTF16Len(key) > 128 || !tagKeyPattern.Match(key)
		values = values || api.UTF16Len(value) > 256 || !tagValuePattern.Match(value)
	}
	if keys {
		c.Add("tags", api.RenderMap(tags), "Map keys must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: "+tagKeyPattern.String()+"]")
	}
	if values {
		c.Add("tags", api.RenderMap(tags), "Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: "+tagValuePattern.String()+"]")
	}
}

func checkGroup(c *api.Constraints, name *string) {
	c.Required("logGroupName", name != nil)
	c.Length("logGroupName", name, 1, maxName)
	c.Pattern("logGroupName", name, groupPattern)
}

func checkStream(c *api.Constraints, path string, name *string) {
	c.Length(path, name, 1, maxName)
	c.Pattern(path, name, streamPattern)
}

// maxName bounds the names of groups and streams, in characters.
const maxName = 512

// checkLengths refuses names of a group and a stream to be created that are too
// long, which has a text of its own.
func checkLengths(group, stream *string) error {
	if max(utf8.RuneCountInString(aws.ToString(group)), utf8.RuneCountInString(aws.ToString(stream))) > maxName {
		return invalid("Invalid LogGroup or LogStream, both must have length less than or equal to 512.")
	}
	return nil
}

// groupOf returns the name of the group that a request means by its name or by
// an identifier, which is a name or an ARN.
func groupOf(c *api.Constraints, name, identifier *string) (string, error) {
	c.Length("logGroupName", name, 1, maxName)
	c.Pattern("logGroupName", name, groupPattern)
	c.Length("logGroupIdentifier", identifier, 1, 2048)
	if err := violations(c); err != nil {
		return "", err
	}
	if identifier != nil && !identifierPattern.Match(*identifier) { // the service does not show the value
		return "", invalid("1 validation error detected: Value at 'logGroupIdentifier' failed to satisfy constraint: " +
			"Member must satisfy regular expression pattern: " + identifiers)
	}
	switch {
	case name != nil && identifier != nil:
		return "", api.Validation("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	case name != nil:
		return *name, nil
	case identifier == nil:
		return "", invalid("Either logGroupIdentifier or logGroupName must be specified")
	case !strings.HasPrefix(*identifier, "arn:"):
		return *identifier, nil
	}
	arn, err := catalog.ParseARN(*identifier)
	group, ok := strings.CutPrefix(arn.Resource, "log-group:")
	if err != nil || !ok || arn.Service != "logs" {
		return "", invalid("The specified log group identifier is not valid: " + *identifier)
	}
	return group, nil
}
