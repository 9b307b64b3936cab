package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
)

// installServerless installs serverless-offline with the framework that it is a
// plugin of, its plugin for mappings, and the stream and table servers that the
// plugins' documentation recommends.
func installServerless(ctx context.Context, dir, version string) error {
	if err := pipInstall(ctx, dir, boto3); err != nil {
		return err
	}
	return npmInstall(ctx, dir, "serverless-offline@"+version, "serverless@3.40.0", "serverless-offline-kinesis@6.2.3",
		"kinesalite@"+kinesaliteVersion, "dynalite@"+dynaliteVersion, nodeSDK)
}

// startServerless starts the servers of streams and tables. serverless-offline is
// started for each mapping, as its configuration names the stream and the function.
func startServerless(ctx context.Context, work, installed string) (*server, error) {
	s, err := startNode("kinesalite")(ctx, work, installed)
	if err != nil {
		return nil, err
	}
	tables, err := startNode("dynalite")(ctx, work, installed)
	if err != nil {
		s.stop()
		return nil, err
	}
	s.tables, s.also = tables.addr, []*process{tables.proc}
	s.host = &serverless{work: work, installed: installed, streams: s.addr, tables: s.tables, functions: map[string]object{}, running: map[string]*process{}}
	return s, nil
}

// serverless runs functions with serverless-offline, each in a service of its own.
type serverless struct {
	work, installed string
	streams, tables string            // addresses
	functions       map[string]object // as a configuration defines them, without their streams
	running         map[string]*process
}

// serverlessRuntimes are the newest that this version knows. It runs what it finds.
var serverlessRuntimes = map[string]string{nodeLanguage.name: "nodejs18.x", pythonLanguage.name: "python3.9"}

func (h *serverless) dir(function string) string { return filepath.Join(h.work, function) }

// create writes the code of a function into a directory of its own.
func (h *serverless) create(function string, l language, variables map[string]string) error {
	dir := h.dir(function)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	if err := linkModules(dir, h.installed); err != nil {
		return err
	}
	environment := object{
		"AWS_ENDPOINT_URL": "http://" + h.tables, "AWS_REGION": "us-east-1",
		"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench",
	}
	for name, value := range variables {
		environment[name] = value
	}
	h.functions[function] = object{
		"handler": l.handler, "runtime": serverlessRuntimes[l.name], "timeout": 60, "environment": environment,
	}
	return os.WriteFile(filepath.Join(dir, l.file), l.source, 0o644)
}

// mapTo writes the configuration of a function and its stream, and starts it.
func (h *serverless) mapTo(_ context.Context, streamARN, function string, batch int) (string, error) {
	definition := h.functions[function]
	definition["events"] = []object{{"stream": object{
		"type": "kinesis", "arn": streamARN, "batchSize": batch, "startingPosition": "TRIM_HORIZON",
	}}}
	text, err := h.configuration(definition)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(h.dir(function), "serverless.json"), text, 0o644); err != nil {
		return "", err
	}
	// This version of the framework fails on plugins that are modules where Node
	// lets require load them.
	p, err := startProcess(h.dir(function), "env", "HOME="+h.work, "VIRTUAL_ENV="+h.installed, "NODE_OPTIONS=--no-experimental-require-module",
		"SLS_TELEMETRY_DISABLED=1", "SLS_NOTIFICATIONS_MODE=off", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench",
		"node", filepath.Join(h.installed, "node_modules", "serverless", "bin", "serverless.js"), "offline", "start")
	if err != nil {
		return "", err
	}
	h.running[function] = p
	return function, nil
}

// unmap ends what mapTo has started, if it runs.
func (h *serverless) unmap(function string) {
	if p := h.running[function]; p != nil {
		p.stop()
		delete(h.running, function)
	}
}

// configuration is that of a service with one function. It asks an empty stream for
// records as often as the plugin's documentation has it.
func (h *serverless) configuration(definition object) ([]byte, error) {
	var ports [3]string
	for i := range ports {
		var err error
		if _, ports[i], err = freePort(); err != nil {
			return nil, err
		}
	}
	return json.Marshal(object{
		"service": "bench", "frameworkVersion": "3", "plugins": []string{"serverless-offline-kinesis", "serverless-offline"},
		"provider": object{"name": "aws", "region": "us-east-1"},
		"custom": object{
			"serverless-offline": object{"host": "127.0.0.1", "httpPort": ports[0], "lambdaPort": ports[1], "websocketPort": ports[2]},
			"serverless-offline-kinesis": object{
				"apiVersion": "2013-12-02", "endpoint": "http://" + h.streams, "region": "us-east-1",
				"accessKeyId": "bench", "secretAccessKey": "bench", "skipCacheInvalidation": false, "readInterval": 500,
			},
		},
		"functions": object{"count": definition},
	})
}
