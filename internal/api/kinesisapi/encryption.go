package kinesisapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kinesis"
	"github.com/aws/aws-sdk-go-v2/service/kinesis/types"

	"github.com/weirstream/weir/internal/api"
	"github.com/weirstream/weir/internal/stream"
)

func (h handlers) startEncryption(ctx context.Context, in *kinesis.StartStreamEncryptionInput) (*kinesis.StartStreamEncryptionOutput, error) {
	st, err := h.encrypted(ctx, in.StreamName, in.StreamARN, in.EncryptionType, in.KeyId)
	if err != nil {
		return nil, err
	}
	if !stream.ManagedKey(*in.KeyId) {
		return nil, &types.KMSNotFoundException{Message: aws.String("Key '" + *in.KeyId + "' does not exist: Weir has no keys but alias/aws/kinesis.")}
	}
	return &kinesis.StartStreamEncryptionOutput{}, exception(h.streams.SetEncryption(ctx, st.Name(), *in.KeyId))
}

func (h handlers) stopEncryption(ctx context.Context, in *kinesis.StopStreamEncryptionInput) (*kinesis.StopStreamEncryptionOutput, error) {
	st, err := h.encrypted(ctx, in.StreamName, in.StreamARN, in.EncryptionType, in.KeyId)
	if err != nil {
		return nil, err
	}
	return &kinesis.StopStreamEncryptionOutput{}, exception(h.streams.SetEncryption(ctx, st.Name(), ""))
}

// encrypted checks a request about encryption and finds its stream.
func (h handlers) encrypted(ctx context.Context, name, arn *string, kind types.EncryptionType, key *string) (*stream.Stream, error) {
	var c api.Constraints
	checkStream(&c, name, arn)
	api.RequiredEnum(&c, "encryptionType", kind, func() bool { return api.Given(ctx, "EncryptionType") }, types.EncryptionTypeNone, types.EncryptionTypeKms)
	c.Required("keyId", key != nil)
	c.Length("keyId", key, 1, maxKeyLength)
	if err := c.Err(); err != nil {
		return nil, err
	}
	st, err := h.find(name, arn)
	if err == nil && kind != types.EncryptionTypeKms {
		err = invalidArgument("EncryptionType " + string(kind) + " is not valid: the only valid value is KMS.")
	}
	return st, err
}

// encryptionType is what an answer says of a record; of one that is not encrypted it
// says nothing.
func encryptionType(encrypted bool) types.EncryptionType {
	if encrypted {
		return types.EncryptionTypeKms
	}
	return ""
}

// describeEncryption returns the type and the key of a stream.
func describeEncryption(def stream.Definition) (types.EncryptionType, *string) {
	key := def.Encryption.Key()
	if key == "" {
		return types.EncryptionTypeNone, nil
	}
	return types.EncryptionTypeKms, &key
}
