//go:build !linux

package store

import "github.com/cockroachdb/pebble/v2/vfs"

func withWrittenLog(fs vfs.FS) vfs.FS { return fs }
