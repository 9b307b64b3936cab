package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
)

// awsConfig is an SDK configuration that talks to the server at --endpoint.
func (a *app) awsConfig() aws.Config {
	return aws.Config{
		BaseEndpoint: aws.String(a.endpoint),
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("weir", "weir", ""),
		HTTPClient:   &http.Client{Transport: requestBodies{&http.Transport{MaxIdleConnsPerHost: 16}}},
		// The commands are used interactively: an error should show at once.
		RetryMaxAttempts: 2,
	}
}

// explain makes an error of a call to the server short, and says what to do when
// there is no server.
func (a *app) explain(err error) error {
	var api smithy.APIError
	var op *net.OpError
	var unreadable *smithy.DeserializationError
	var failed *url.Error
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &api):
		return fmt.Errorf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("no server answers at %s: start one with 'weir up', or name another with --endpoint", a.endpoint)
	case errors.As(err, &unreadable):
		return a.strange("unreadably")
	case errors.As(err, &failed):
		return fmt.Errorf("%s: %w", a.endpoint, failed.Err)
	}
	return err
}
