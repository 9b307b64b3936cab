package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// Hosts protects a server that accepts any credentials from the pages that people
// open on its machine: a page of the outside may neither call it, nor reach it under a
// name of its own that is made to lead here. Requests of other programs, which say
// where they go and do not say where they come from, pass.
type Hosts struct {
	// Allowed are further names that the server is called by and whose pages may call
	// it; "*.name" means all names under it.
	Allowed []string
}

// ownNames are suffixes that nobody outside can have resolved to this machine: they
// are reserved or of local networks, Amazon's, or always lead to the own machine.
var ownNames = []string{
	".localhost", ".internal", ".test", ".local", ".lan", ".home.arpa",
	".amazonaws.com", ".amazonaws.com.cn", ".api.aws",
	".localhost.localstack.cloud",
}

// refuse returns why a request is not answered, "" if it is.
func (h *Hosts) refuse(r *http.Request) string {
	if host := hostname(r.Host); !h.isOurs(host) {
		return fmt.Sprintf("Weir is not known as %s; if it should be, start it with --allow-host %[1]s", host)
	}
	origin := r.Header.Get("Origin")
	if origin != "" && !h.mayCall(origin, r.Host) {
		return fmt.Sprintf("Weir takes no requests of pages from %s; if it should, start it with --allow-host and the host's name", origin)
	}
	// Pages load images and the like without an origin. Reading what they cannot look
	// at does no harm, calling an operation does.
	if origin == "" && r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.URL.RawQuery != "" && r.URL.Query().Has("Action") {
		return "Weir takes no requests of pages from elsewhere"
	}
	return ""
}

// isOurs reports whether a host can be this server without somebody else's doing: an
// address, a name without a domain, or one that is reserved or allowed.
func (h *Hosts) isOurs(host string) bool {
	if !strings.Contains(host, ".") && !strings.Contains(host, ":") {
		return true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	for _, suffix := range ownNames {
		if host == suffix[1:] || strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return h.allows(host)
}

// mayCall reports whether pages of an origin may call: those of this machine, of the
// server itself, and those that are allowed.
func (h *Hosts) mayCall(origin, server string) bool {
	u, err := url.Parse(origin)
	if err != nil || u.Host == "" { // also "null", which any page can be
		return false
	}
	if strings.EqualFold(u.Host, server) {
		return true // which isOurs has judged
	}
	host := hostname(u.Host)
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Unmap().IsLoopback() || h.allows(host)
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || h.allows(host)
}

func (h *Hosts) allows(host string) bool {
	for _, name := range h.Allowed {
		name = strings.ToLower(name)
		if domain, ok := strings.CutPrefix(name, "*"); host == name || ok && strings.HasSuffix(host, domain) {
			return true
		}
	}
	return false
}

// hostname is a host without its port, in lower case, an address without brackets.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}
