package cli

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/weirstream/weir/internal/stack"
)

// steps prints the events of a stack, one line for each resource that is done. On a
// terminal the last line is what is under way.
type steps struct {
	out   io.Writer // nil: nothing is printed
	width int       // of the terminal, 0 when it is none
	begun bool      // a line for what is under way stands there
}

func (a *app) newSteps() *steps {
	if a.json {
		return &steps{}
	}
	return &steps{out: a.err, width: terminalWidth(a.err)}
}

// terminalWidth is the number of columns of a terminal, 0 when w is none.
func terminalWidth(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) { // #nosec G115 -- a descriptor
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd())) // #nosec G115 -- a descriptor
	if err != nil || width <= 0 {
		return 80
	}
	return width
}

func (s *steps) print(e *stack.Event) {
	if s.out == nil {
		return
	}
	line := fmt.Sprintf("%-28s %-32s %s", e.Status, e.ResourceType, e.LogicalID)
	if e.Status.InProgress() && e.LogicalID != e.StackName {
		if s.width > 0 {
			fmt.Fprint(s.out, "\r\x1b[K", clip(line, s.width))
			s.begun = true
		}
		return
	}
	if e.Reason != "" {
		line += "  " + e.Reason
	}
	s.done()
	fmt.Fprintln(s.out, line)
}

// done takes away the line for what is under way.
func (s *steps) done() {
	if s.begun {
		fmt.Fprint(s.out, "\r\x1b[K")
		s.begun = false
	}
}

// clip cuts a line to less than the width of a terminal, so that it can be written
// over: a full line may have begun the next one already.
func clip(line string, width int) string {
	if runes := []rune(line); len(runes) >= width {
		return string(runes[:max(width-1, 0)])
	}
	return line
}
