//go:build !linux

package store

import "github.com/cockroachdb/pebble/v2/vfs"

func withAllocatedLog(fs vfs.FS) vfs.FS { return fs }
