package snsapi

import (
	"errors"
	"fmt"
	"html"
	"log/slog"
	"net/http"
	"path"

	"github.com/weirstream/weir/internal/notify"
)

// Pages serves what links in messages lead to, all under
// [notify.CertificatePath]: the certificate that verifies signatures, and the
// pages that confirm and end subscriptions by mail. A nil log discards.
func Pages(topics *notify.Topics, log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := pages{topics, log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+notify.ConfirmPath, p.confirm)
	mux.HandleFunc("GET "+notify.UnsubscribePath, p.unsubscribe)
	mux.HandleFunc("GET "+notify.CertificatePath, p.certificate)
	return mux
}

type pages struct {
	topics *notify.Topics
	log    *slog.Logger
}

func (p pages) certificate(w http.ResponseWriter, r *http.Request) {
	name, pem, err := p.topics.Certificate()
	if err != nil {
		p.log.Error("certificate of notifications", "error", err)
		http.Error(w, "The certificate is not available.", http.StatusInternalServerError)
		return
	}
	if path.Base(r.URL.Path) != name {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	_, _ = w.Write(pem) // the client is gone if it fails
}

func (p pages) confirm(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	arn, err := p.topics.Confirm(r.Context(), q.Get("TopicArn"), q.Get("Token"), false, false)
	p.show(w, "Subscription confirmed", "You have subscribed to the topic. Your subscription is", arn, err)
}

func (p pages) unsubscribe(w http.ResponseWriter, r *http.Request) {
	arn := r.URL.Query().Get("SubscriptionArn")
	err := p.topics.Unsubscribe(r.Context(), arn, false)
	p.show(w, "Subscription removed", "You will get no more messages by the subscription", arn, err)
}

// pageHTML is filled in by hand: html/template would make the linker keep every method
// of every type in the program.
const pageHTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>%[1]s</title>
<style>
:root { color-scheme: light dark }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem }
code { overflow-wrap: anywhere }
</style>
<h1>%[1]s</h1>
<p>%[2]s%[3]s.</p>
</html>
`

func (p pages) show(w http.ResponseWriter, title, text, arn string, err error) {
	status := http.StatusOK
	if err != nil {
		title, text, arn, status = "This did not work", "The server failed", "", http.StatusInternalServerError
		var e *notify.Error
		if errors.As(err, &e) {
			text, status = e.Message, http.StatusBadRequest
		} else {
			p.log.Error("page of notifications", "error", err)
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.WriteHeader(status)
	if arn != "" {
		arn = " <code>" + html.EscapeString(arn) + "</code>"
	}
	if _, err := fmt.Fprintf(w, pageHTML, html.EscapeString(title), html.EscapeString(text), arn); err != nil {
		p.log.Debug("page of notifications", "error", err)
	}
}
