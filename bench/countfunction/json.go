//go:build !goexperiment.jsonv2

package main

import "encoding/json"

func decode(document []byte, into any) error { return json.Unmarshal(document, into) }
