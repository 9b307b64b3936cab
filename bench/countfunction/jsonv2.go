//go:build goexperiment.jsonv2

package main

import "encoding/json/v2"

// decode uses Go's newer JSON package, which reads a document once, not twice, and
// compares names as they are.
func decode(document []byte, into any) error { return json.Unmarshal(document, into) }
