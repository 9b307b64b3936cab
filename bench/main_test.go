package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{"-weir", "bin/weir", "-only", "put,scan", "-duration", "1s"}, io.Discard)
	if err != nil || o.weir != "bin/weir" || o.only != "put,scan" || o.duration != time.Second || o.peers != "kinesalite,dynalite,moto,ministack,serverless-offline" {
		t.Errorf("%+v, %v", o, err)
	}
	for _, bad := range []string{"more", "-repeat 0", "-duration 0s", "-unknown"} {
		if _, err := parse(strings.Fields(bad), io.Discard); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	self := func(s string) string { return s }
	got, err := choose([]string{"a", "b", "c"}, self, "c,a")
	if err != nil || strings.Join(got, "") != "ac" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := choose([]string{"a"}, self, "a,x"); err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("unknown: %v", err)
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	if got, err := address("http://127.0.0.1:4566"); got != "127.0.0.1:4566" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"127.0.0.1:4566", "https://localhost:1", "http://localhost", ""} {
		if _, err := address(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestProc(t *testing.T) {
	t.Parallel()
	status := []byte("Name:\tweir\nVmRSS:\t   30720 kB\nThreads:\t9\n")
	if rss, ok := procField(status, "VmRSS"); !ok || kilobytes(rss) != 30720 {
		t.Errorf("VmRSS %q", rss)
	}
	if _, ok := procField(status, "VmHWM"); ok || kilobytes("many") != 0 {
		t.Error("something from nothing")
	}
	stat := []byte("7 (a (b) c) S 1 7 7 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 9 0 100 0 0")
	if got := parseCPU(stat); got != 2*time.Second {
		t.Errorf("CPU %s", got)
	}
	if parseCPU([]byte("7 (x) S 1")) != 0 {
		t.Error("CPU of a short line")
	}
}

func TestProcessOutput(t *testing.T) {
	t.Parallel()
	f := firstLine{seen: make(chan struct{})}
	for _, part := range []string{"rea", "dy http://x\nmo", "re\n"} {
		if n, err := f.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	<-f.seen
	if line, at := f.first(); line != "ready http://x" || at.IsZero() {
		t.Errorf("%q at %s", line, at)
	}
	var errs tail
	for range tailSize {
		_, _ = errs.Write([]byte("abc"))
	}
	if got := errs.text(); len(got) != tailSize || !strings.HasSuffix(got, "abcabc") {
		t.Errorf("%d bytes kept", len(got))
	}
}
