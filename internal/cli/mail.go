package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"
)

// mail is an entry of the outbox as the console's API shows it.
type mail struct {
	ID      string    `json:"id"`
	Time    time.Time `json:"time"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Body    string    `json:"body"`
}

const maxMailPage = 100

// tailMail follows the outbox.
func (a *app) tailMail(o tailOptions) poll {
	seen := map[string]bool{}
	first := true
	return func(ctx context.Context) (any bool, err error) {
		var page struct{ Mails []mail }
		if err := a.getJSON(ctx, fmt.Sprintf("/_weir/console/api/mail?limit=%d", maxMailPage), &page); err != nil {
			return false, err
		}
		for _, head := range slices.Backward(page.Mails) {
			if seen[head.ID] {
				continue
			}
			seen[head.ID] = true
			if first && !o.fromStart {
				continue
			}
			var m mail
			if err := a.getJSON(ctx, "/_weir/console/api/mail/"+url.PathEscape(head.ID), &m); err != nil {
				return false, err
			}
			any = true
			if err := a.printMail(m); err != nil {
				return false, err
			}
		}
		first = false
		return any, nil
	}
}

func (a *app) printMail(m mail) error {
	if a.json {
		return a.printJSON(m)
	}
	_, err := fmt.Fprintf(a.out, "Date: %s\nFrom: %s\nTo: %s\nSubject: %s\n\n%s\n\n", m.Time.Format(time.RFC1123Z), m.From, m.To, m.Subject, m.Body)
	return err
}

// getJSON asks one of Weir's own paths.
func (a *app) getJSON(ctx context.Context, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.endpoint+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return a.strange(resp.Status)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return a.strange(resp.Status)
	}
	return nil
}

// strange is the error for an answer that a server of this version does not give.
func (a *app) strange(status string) error {
	return fmt.Errorf("%s answers (%s), but not as a Weir of version %s does: is it the right --endpoint?", a.endpoint, status, Version)
}
