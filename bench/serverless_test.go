package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestServerlessCreate(t *testing.T) {
	t.Parallel()
	h := &serverless{work: t.TempDir(), installed: t.TempDir(), tables: "127.0.0.1:8000", functions: map[string]object{}}
	if err := h.create("count", nodeLanguage, map[string]string{"TABLE": "counts"}); err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(filepath.Join(h.work, "count", nodeLanguage.file))
	if err != nil || string(code) != string(nodeSource) {
		t.Errorf("%d bytes of code, %v", len(code), err)
	}
	if modules, err := os.Readlink(filepath.Join(h.work, "count", "node_modules")); modules != filepath.Join(h.installed, "node_modules") {
		t.Errorf("modules at %q, %v", modules, err)
	}
	environment, _ := h.functions["count"]["environment"].(object)
	if environment["TABLE"] != "counts" || environment["AWS_ENDPOINT_URL"] != "http://127.0.0.1:8000" {
		t.Errorf("environment %v", environment)
	}
	h.unmap("count") // does not run
}

func TestServerlessConfiguration(t *testing.T) {
	t.Parallel()
	h := &serverless{streams: "127.0.0.1:4567"}
	text, err := h.configuration(object{"handler": "count.handler"})
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Custom struct {
			Offline struct{ Host, HTTPPort, LambdaPort, WebsocketPort string } `json:"serverless-offline"`
			Kinesis struct{ Endpoint string }                                  `json:"serverless-offline-kinesis"`
		}
		Functions struct{ Count struct{ Handler string } }
	}
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if o := got.Custom.Offline; o.Host != "127.0.0.1" || o.HTTPPort == "" || o.HTTPPort == o.LambdaPort || o.LambdaPort == o.WebsocketPort {
		t.Errorf("%+v", o)
	}
	if got.Custom.Kinesis.Endpoint != "http://127.0.0.1:4567" || got.Functions.Count.Handler != "count.handler" {
		t.Errorf("%s", text)
	}
}
