package cli

import (
	"bytes"
	"testing"

	"github.com/weirstream/weir/internal/stack"
)

func TestStepsPrintsWhatIsDone(t *testing.T) {
	t.Parallel()
	events := []stack.Event{
		{StackName: "s", LogicalID: "s", ResourceType: "Stack", Status: stack.CreateInProgress, Reason: "User Initiated"},
		{StackName: "s", LogicalID: "A", ResourceType: "T", Status: stack.CreateInProgress},
		{StackName: "s", LogicalID: "A", ResourceType: "T", Status: stack.CreateInProgress, Reason: "Resource creation Initiated"},
		{StackName: "s", LogicalID: "A", ResourceType: "T", Status: stack.CreateComplete},
	}
	var plain, terminal bytes.Buffer
	for _, s := range []*steps{{out: &plain}, {out: &terminal, width: 12}, {}} {
		for i := range events {
			s.print(&events[i])
		}
		s.done()
	}
	first := "CREATE_IN_PROGRESS           Stack                            s  User Initiated\n"
	last := "CREATE_COMPLETE              T                                A\n"
	if got := plain.String(); got != first+last {
		t.Errorf("elsewhere:\n%s", got)
	}
	under := "\r\x1b[KCREATE_IN_P"[:len("\r\x1b[K")+11]
	if got, want := terminal.String(), first+under+under+"\r\x1b[K"+last; got != want {
		t.Errorf("on a terminal:\n%q, want\n%q", got, want)
	}
}
