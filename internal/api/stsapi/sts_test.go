package stsapi_test

import (
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/api/stsapi"
	"github.com/weirstream/weir/internal/catalog"
)

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	id := catalog.Identity{Partition: "aws", Region: "eu-west-1", Account: "123456789012"}
	h, err := api.NewHandler(api.Config{Services: []*api.Service{stsapi.New(id)}, Identity: id})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	client := sts.New(sts.Options{
		BaseEndpoint: aws.String(server.URL),
		Region:       "eu-west-1",
		Credentials:  credentials.NewStaticCredentialsProvider("key", "secret", ""),
	})
	out, err := client.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *out.Account != "123456789012" || *out.Arn != "arn:aws:iam::123456789012:root" || *out.UserId != "123456789012" {
		t.Errorf("got %s %s %s", *out.Account, *out.Arn, *out.UserId)
	}
}
