package metric

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/store"
)

// actionTimeout bounds handing an action over; its delivery is not waited for.
const actionTimeout = 15 * time.Second

// change is a change of an alarm's state whose actions are still to run.
type change struct {
	Alarm   Alarm
	Old     State
	New     State
	Time    time.Time
	Actions []string
}

// queueActions writes the actions of a change as part of tx, so that they are
// executed even if the process ends in between.
func (a *Alarms) queueActions(tx *store.Tx, def Alarm, old, next State, now time.Time) error {
	actions := def.actions(next.Value)
	if !def.ActionsEnabled || len(actions) == 0 {
		return nil
	}
	doc, err := json.Marshal(change{def, old, next, now, actions})
	if err != nil {
		return fmt.Errorf("actions of alarm %s: %w", def.Name, err)
	}
	tx.Set(a.nextStamp(now).append(alarmKey(def.Name, whatPending)), doc)
	return nil
}

// actForever executes queued actions as they come.
func (a *Alarms) actForever(ctx context.Context) {
	for {
		select {
		case <-a.pending:
		case <-ctx.Done():
			return
		}
		if err := a.act(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("execute alarm actions", "error", err)
		}
	}
}

// act executes what is queued, in order.
func (a *Alarms) act(ctx context.Context) error {
	keys, err := a.pendingKeys()
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := a.actOn(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

func (a *Alarms) pendingKeys() (keys [][]byte, err error) {
	from := store.Key(store.DomainAlarm, 0)
	it, err := a.db.Scan(from, store.PrefixEnd(from))
	if err != nil {
		return nil, err
	}
	defer it.Close()
	for ok := it.First(); ok; {
		_, rest, err := store.CutString(it.Key()[1:])
		if err != nil || len(rest) == 0 {
			return nil, fmt.Errorf("alarm key %x: %w", it.Key(), errors.Join(err, errBadKey))
		}
		// Past the history, which is long, to what follows it.
		pending := append(slices.Clone(it.Key()[:len(it.Key())-len(rest)]), whatPending)
		if rest[0] < whatPending {
			ok = it.Seek(pending)
			continue
		}
		if rest[0] == whatPending {
			keys = append(keys, slices.Clone(it.Key()))
		}
		ok = it.Next()
	}
	return keys, it.Close()
}

var errBadKey = errors.New("malformed")

// actOn executes the actions of one change and takes it from the queue together
// with writing down what became of them. When the process ends in between, they
// are executed once more.
func (a *Alarms) actOn(ctx context.Context, key []byte) error {
	doc, ok, err := a.db.Get(key)
	if err != nil || !ok {
		return err
	}
	var c change
	if err := json.Unmarshal(doc, &c); err != nil {
		return fmt.Errorf("queued action: %w", err)
	}
	var items []HistoryItem
	for _, arn := range c.Actions {
		published, err := a.execute(ctx, arn, c)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			a.log.Warn("alarm action failed", "alarm", c.Alarm.Name, "action", arn, "error", err)
		}
		item, err := actionItem(arn, c, published, err)
		if err != nil {
			return err
		}
		items = append(items, item)
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	tx := a.db.Begin()
	defer tx.Discard()
	tx.Delete(key)
	for _, item := range items {
		if err := a.record(tx, item); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// execute hands one action over and returns the message that was published, if
// any.
func (a *Alarms) execute(ctx context.Context, arn string, c change) (published string, err error) {
	ctx, cancel := context.WithTimeout(ctx, actionTimeout)
	defer cancel()
	target, err := catalog.ParseARN(arn)
	if err != nil {
		return "", err
	}
	if target.Service == "lambda" {
		if a.cfg.Invoker == nil {
			return "", errors.New("functions cannot be invoked here")
		}
		event, err := a.lambdaEvent(c)
		if err != nil {
			return "", err
		}
		return "", a.cfg.Invoker.InvokeAsync(ctx, arn, event)
	}
	if a.cfg.Notifier == nil {
		return "", errors.New("topics cannot be published to here")
	}
	subject, bodies, err := a.notification(c)
	if err != nil {
		return "", err
	}
	message, err := marshal(bodies)
	if err != nil {
		return "", err
	}
	return string(message), a.cfg.Notifier.Publish(ctx, arn, subject, bodies)
}

// actionItem is the history of an executed action.
func actionItem(arn string, c change, published string, failure error) (HistoryItem, error) {
	data := struct {
		State     string  `json:"actionState"`
		Updated   int64   `json:"stateUpdateTimestamp"`
		Resource  string  `json:"notificationResource"`
		Published string  `json:"publishedMessage,omitempty"`
		Error     *string `json:"error"`
	}{State: "Succeeded", Updated: c.Time.UnixMilli(), Resource: arn, Published: published}
	summary := "Successfully executed action " + arn
	if failure != nil {
		text := failure.Error()
		data.State, data.Error, data.Published = "Failed", &text, ""
		summary = fmt.Sprintf("Failed to execute action %s. Received error: %q", arn, text)
	}
	doc, err := marshal(data)
	if err == nil && len(doc) > maxHistoryData {
		data.Published = "" // cut in half it would be no JSON
		doc, err = marshal(data)
	}
	if err != nil {
		return HistoryItem{}, fmt.Errorf("history of alarm %s: %w", c.Alarm.Name, err)
	}
	return HistoryItem{Alarm: c.Alarm.Name, Time: time.Now(), Type: HistoryAction, Summary: summary, Data: string(doc)}, nil
}
