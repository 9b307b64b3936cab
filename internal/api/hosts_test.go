package api

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHostsRefuse(t *testing.T) {
	t.Parallel()
	hosts := &Hosts{Allowed: []string{"weir.example.com", "*.Apps.example.com"}}
	for _, c := range []struct {
		host, origin, site, url string
		want                    string // part of the reason
	}{
		// Programs.
		{host: "127.0.0.1:4566"},
		{host: "[::1]:4566"},
		{host: "10.0.0.7"},
		{host: "localhost:4566"},
		{host: "weir:4566"},
		{host: ""},
		{host: "pictures.localhost:4566"},
		{host: "pictures.s3.us-east-1.amazonaws.com"},
		{host: "host.docker.internal:4566"},
		{host: "office.local:4566"},
		{host: "localhost.localstack.cloud:4566"},
		{host: "pictures.s3.localhost.localstack.cloud:4566"},
		{host: "Weir.example.com"},
		{host: "one.apps.example.com."},
		// Names that lead here although they should not.
		{host: "evil.example", want: "not known as evil.example"},
		{host: "127.0.0.1.evil.example:4566", want: "not known as"},
		{host: "apps.example.com", want: "not known as"},
		{host: "localhost.evil.example", want: "not known as"},
		{host: "evil.example:4566", origin: "http://evil.example:4566", want: "not known as"},
		// Pages.
		{host: "127.0.0.1:4566", origin: "http://127.0.0.1:4566"},
		{host: "127.0.0.1:4566", origin: "http://localhost:3000"},
		{host: "127.0.0.1:4566", origin: "http://[::1]:3000"},
		{host: "127.0.0.1:4566", origin: "https://app.localhost"},
		{host: "127.0.0.1:4566", origin: "https://one.apps.example.com"},
		{host: "weir.example.com", origin: "https://weir.example.com"},
		{host: "127.0.0.1:4566", origin: "https://evil.example", want: "pages from https://evil.example"},
		{host: "127.0.0.1:4566", origin: "http://10.0.0.7", want: "pages from"},
		{host: "127.0.0.1:4566", origin: "https://localhost.evil.example", want: "pages from"},
		{host: "127.0.0.1:4566", origin: "null", want: "pages from null"},
		{host: "127.0.0.1:4566", site: "cross-site", url: "/?Action=CreateTopic&Name=x", want: "from elsewhere"},
		{host: "127.0.0.1:4566", site: "same-site", url: "/?Action=CreateTopic&Name=x"},
		{host: "127.0.0.1:4566", site: "cross-site", url: "/pictures/cat.png"},
		{host: "127.0.0.1:4566", site: "cross-site", url: "/_weir/console/alarms/x"},
	} {
		if c.url == "" {
			c.url = "/"
		}
		r := httptest.NewRequest("GET", c.url, nil)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		r.Header.Set("Sec-Fetch-Site", c.site)
		got := hosts.refuse(r)
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("host %q, origin %q, site %q, %s: %q, want %q", c.host, c.origin, c.site, c.url, got, c.want)
		}
	}
}
