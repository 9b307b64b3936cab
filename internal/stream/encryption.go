package stream

import (
	"context"
	"slices"
	"time"

	"github.com/weirstream/weir/internal/catalog"
)

// EncryptionPeriod is a span of time in which a stream is encrypted with a key.
type EncryptionPeriod struct {
	Key  string // as the request named it
	From int64  // epoch milliseconds
	To   int64  `json:",omitempty"` // epoch milliseconds, exclusive; 0 while it lasts
}

// Encryption is the periods in which a stream is encrypted, in order. Weir has no keys
// of its own and leaves records as they are; the periods are kept so that clients are
// told what the service would tell them.
type Encryption []EncryptionPeriod

// Key returns the key that the stream is encrypted with now, "" if with none.
func (e Encryption) Key() string {
	if n := len(e); n > 0 && e[n-1].To == 0 {
		return e[n-1].Key
	}
	return ""
}

// Covers reports whether a record that arrived at a time, epoch milliseconds, is
// encrypted.
func (e Encryption) Covers(at int64) bool {
	return slices.ContainsFunc(e, func(p EncryptionPeriod) bool { return at >= p.From && (p.To == 0 || at < p.To) })
}

// SetEncryption encrypts what is put to a stream from now on with a key, with none if
// it is "". Records that are there stay as they are.
func (s *Streams) SetEncryption(_ context.Context, name, key string) error {
	return s.change(name, func(_ *Stream, def *Definition) error {
		if def.Encryption.Key() == key {
			return nil
		}
		now := time.Now()
		horizon := now.Add(-maxRetentionHours * time.Hour).UnixMilli()
		periods := slices.DeleteFunc(slices.Clone(def.Encryption), func(p EncryptionPeriod) bool { return p.To != 0 && p.To < horizon })
		if n := len(periods); n > 0 && periods[n-1].To == 0 {
			periods[n-1].To = now.UnixMilli()
		}
		if key != "" {
			periods = append(periods, EncryptionPeriod{Key: key, From: now.UnixMilli()})
		}
		def.Encryption = periods
		return nil
	})
}

const managedAlias = "alias/aws/kinesis"

// ManagedKey reports whether a key is that which the service itself keeps for streams,
// by its alias or the ARN of it. There are no other keys.
func ManagedKey(key string) bool {
	arn, err := catalog.ParseARN(key)
	return key == managedAlias || err == nil && arn.Service == "kms" && arn.Resource == managedAlias
}
