package function

import (
	"errors"
	"strings"
	"testing"

	"github.com/weirstream/weir/internal/transaction"
)

func TestDeliveryTags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tags    map[string]string
		once    bool
		problem string
	}{
		{nil, false, ""},
		{map[string]string{"team": "web"}, false, ""},
		{map[string]string{DeliveryTag: AtLeastOnce, OutsideTag: RefuseOutside}, false, ""},
		{map[string]string{DeliveryTag: ExactlyOnce, OutsideTag: PassOutside}, true, ""},
		{map[string]string{DeliveryTag: "Exactly-Once"}, false, "weir:delivery is not valid: it is at-least-once or exactly-once"},
		{map[string]string{OutsideTag: ""}, false, "weir:outside is not valid: it is refuse or pass"},
	} {
		err := validateTags(c.tags)
		if c.problem == "" && err != nil || c.problem != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%v: %v", c.tags, err)
		}
		if (Definition{Tags: c.tags}).ExactlyOnce() != c.once {
			t.Errorf("%v: exactly once is not %v", c.tags, c.once)
		}
	}
}

// TestOnceKeys tells the keys of exactly-once environments from all others, for which
// the environment need not be there.
func TestOnceKeys(t *testing.T) {
	t.Parallel()
	for _, once := range []bool{false, true} {
		for range 100 {
			if key := newCredentials(once).AccessKeyID; IsOnceKey(key) != once || len(key) != 20 {
				t.Fatalf("key %s of an environment that is exactly-once: %v", key, once)
			}
		}
	}
}

// TestTagsThatChangeDeliveryReplaceEnvironments checks the generation, by which pools
// know what is out of date. Any tags make a new revision.
func TestTagsThatChangeDeliveryReplaceEnvironments(t *testing.T) {
	t.Parallel()
	d := Definition{RevisionID: "r", Tags: map[string]string{"a": "1"}}
	if d.setTags(map[string]string{"a": "2"}); d.Generation != 0 {
		t.Error("any tag replaces environments")
	}
	if d.RevisionID == "r" {
		t.Error("tags make no new revision")
	}
	if d.setTags(map[string]string{DeliveryTag: ExactlyOnce}); d.Generation == 0 {
		t.Error("environments stay as they were")
	}
}

// TestInvocationsWithinTurns tells environments whose invocation has a turn, or is waited
// for by one that has.
func TestInvocationsWithinTurns(t *testing.T) {
	t.Parallel()
	f := &Functions{}
	for key, inv := range map[string]*invocation{
		"once": {turn: &transaction.Turn{}}, "within": {withinTurn: true}, "plain": {}, "idle": nil,
	} {
		f.callers.Store(key, &environment{current: inv})
	}
	for key, want := range map[string]bool{"once": true, "within": true, "plain": false, "idle": false, "nobody": false, "": false} {
		if f.withinTurn(key) != want {
			t.Errorf("%q is within a turn: %v", key, !want)
		}
	}
}
