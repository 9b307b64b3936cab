package metric

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// Dashboard is a named dashboard body.
type Dashboard struct {
	Name     string
	Body     string // JSON, as it was put
	Modified time.Time
	Tags     map[string]string `json:",omitempty"`
}

// Problem is something wrong in a dashboard body, at a JSON pointer.
type Problem struct {
	Path    string `json:"dataPath"`
	Message string `json:"message"`
}

// Dashboards keeps dashboards. Its methods can be called concurrently.
type Dashboards struct {
	db       *store.DB
	id       catalog.Identity
	all      *catalog.Collection[Dashboard]
	changing sync.Mutex
}

// OpenDashboards loads the dashboards.
func OpenDashboards(db *store.DB, id catalog.Identity) (*Dashboards, error) {
	all, err := catalog.Load[Dashboard](db, "dashboard")
	if err != nil {
		return nil, fmt.Errorf("dashboards: %w", err)
	}
	return &Dashboards{db: db, id: id, all: all}, nil
}

// maxDashboardBody bounds a body; the service does not publish its limit.
const maxDashboardBody = 1 << 20

var dashboardName = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// ARN returns the ARN of a dashboard; dashboards belong to no region.
func (d *Dashboards) ARN(name string) string {
	return "arn:" + d.id.Partition + ":cloudwatch::" + d.id.Account + ":dashboard/" + name
}

// Put creates or replaces a dashboard. Tags count only when it is new. Warnings
// tell what is odd about a body that was accepted.
func (d *Dashboards) Put(ctx context.Context, name, body string, tags map[string]string) (warnings []Problem, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if name == "" || len(name) > maxNameLength || !dashboardName.MatchString(name) {
		return nil, errorf(InvalidValue, "The value for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) and underscore (_).\n")
	}
	if len(tags) > maxTags {
		return nil, errorf(InvalidValue, "Tags must not be more than %d", maxTags)
	}
	if len(body) > maxDashboardBody {
		return nil, errorf(InvalidDashboard, "The dashboard body must not be larger than %d bytes", maxDashboardBody)
	}
	problems, warnings := checkDashboard(body)
	if len(problems) > 0 {
		list, err := json.MarshalIndent(problems, "", "  ")
		if err != nil {
			return nil, err
		}
		return nil, &Error{Code: InvalidDashboard, Problems: problems,
			Message: fmt.Sprintf("The dashboard body is invalid, there are %d validation errors:\n%s", len(problems), list)}
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	if old, ok := d.all.Get(name); ok {
		tags = old.Tags
	}
	return warnings, d.all.Put(name, Dashboard{Name: name, Body: body, Modified: time.Now(), Tags: tags})
}

// Get returns a dashboard.
func (d *Dashboards) Get(name string) (Dashboard, error) {
	dash, ok := d.all.Get(name)
	if !ok {
		return Dashboard{}, errorf(DashboardNotFound, "Dashboard %s does not exist", name)
	}
	return dash, nil
}

// List returns the dashboards whose names start with prefix.
func (d *Dashboards) List(prefix string) []Dashboard {
	return slices.DeleteFunc(d.all.All(), func(dash Dashboard) bool { return !strings.HasPrefix(dash.Name, prefix) })
}

// Delete removes dashboards, all or none: each must exist.
func (d *Dashboards) Delete(ctx context.Context, names []string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(names) == 0 {
		return errorf(InvalidValue, "Need at least 1 dashboard")
	}
	d.changing.Lock()
	defer d.changing.Unlock()
	for _, name := range names {
		if _, err := d.Get(name); err != nil {
			return err
		}
	}
	tx := d.db.Begin()
	defer tx.Discard()
	for _, name := range names {
		d.all.DeleteIn(tx, name)
	}
	return tx.Commit()
}

// Tag sets and removes tags of a dashboard.
func (d *Dashboards) Tag(name string, set map[string]string, remove []string) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	dash, ok := d.all.Get(name)
	if !ok {
		return &Error{Code: NotFound}
	}
	tags, err := retag(dash.Tags, set, remove)
	if err != nil {
		return err
	}
	dash.Tags = tags
	return d.all.Put(name, dash)
}

// retag returns tags changed; the given map stays as it is.
func retag(tags, set map[string]string, remove []string) (map[string]string, error) {
	changed := make(map[string]string, len(tags)+len(set))
	maps.Copy(changed, tags)
	maps.Copy(changed, set)
	for _, key := range remove {
		delete(changed, key)
	}
	if len(changed) > maxTags {
		return nil, errorf(InvalidValue, "Tags must not be more than %d", maxTags)
	}
	return changed, nil
}
