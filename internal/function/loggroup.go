package function

import (
	"context"
	"time"
)

// CreateGroup makes a log group.
func (l *Logs) CreateGroup(_ context.Context, name string, tags map[string]string) error {
	return l.createGroup(name, tags, func(LogGroup) bool { return false })
}

// DeclareGroup makes a log group that a template has. It may be one that a function
// of the same template has written to already, as functions are started here before
// their first event, and says so in its log.
func (l *Logs) DeclareGroup(_ context.Context, name string, tags map[string]string) error {
	return l.createGroup(name, tags, func(old LogGroup) bool { return old.Implied })
}

// createGroup makes a log group, or takes over an old one if it may.
func (l *Logs) createGroup(name string, tags map[string]string, may func(old LogGroup) bool) error {
	if !logNamePattern.MatchString(name) {
		return invalidf("%q is not a valid log group name", name)
	}
	return l.change(func() error {
		if old, ok := l.defs.Get(name); ok && may(old) {
			old.Implied, old.Tags = false, tags
			return l.defs.Put(name, old)
		}
		if l.groups[name] != nil {
			return errorf(ErrExists, "The specified log group already exists")
		}
		g := newLogGroup(name)
		g.defined = true
		if err := l.defs.Put(name, LogGroup{Name: name, Created: time.Now().UnixMilli(), Tags: tags}); err != nil {
			return err
		}
		l.groups[name] = g
		return nil
	})
}
