package function

import (
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// seconds writes a duration as AWS does in texts.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) }

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// reportLine is the last line of an invocation in the log.
func reportLine(id string, result outcome, memoryMB int, usedBytes int64, initTime time.Duration) string {
	ms := milliseconds(result.duration)
	var b strings.Builder
	b.WriteString("REPORT RequestId: ")
	b.WriteString(id)
	b.WriteString("\tDuration: ")
	b.WriteString(strconv.FormatFloat(ms, 'f', 2, 64))
	b.WriteString(" ms\tBilled Duration: ")
	b.WriteString(strconv.Itoa(int(math.Ceil(ms))))
	b.WriteString(" ms\tMemory Size: ")
	b.WriteString(strconv.Itoa(memoryMB))
	b.WriteString(" MB\tMax Memory Used: ")
	b.WriteString(strconv.FormatInt((usedBytes+1<<20-1)>>20, 10))
	b.WriteString(" MB\t")
	if initTime > 0 {
		b.WriteString("Init Duration: ")
		b.WriteString(strconv.FormatFloat(milliseconds(initTime), 'f', 2, 64))
		b.WriteString(" ms\t")
	}
	if result.status != "" {
		b.WriteString("Status: ")
		b.WriteString(result.status)
		if result.status == "error" && result.errorType != "" {
			b.WriteString("\tError Type: ")
			b.WriteString(result.errorType)
		}
	}
	b.WriteByte('\n')
	return b.String()
}

// measureEvery is how old a measurement of memory may be in a REPORT line;
// measuring costs a few system calls, which short invocations need not all pay.
const measureEvery = 50 * time.Millisecond

// peak is the most memory that an environment was seen to use.
type peak struct {
	mu    sync.Mutex
	bytes int64
	at    time.Time
}

// report returns the peak, measured anew if that was long ago.
func (p *peak) report(proc program) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := time.Now(); proc != nil && now.Sub(p.at) > measureEvery {
		p.at = now
		p.bytes = max(p.bytes, proc.memory(false).peak)
	}
	return p.bytes
}

// note takes a measurement made elsewhere.
func (p *peak) note(bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes = max(p.bytes, bytes)
}
