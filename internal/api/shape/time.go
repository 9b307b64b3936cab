package shape

import (
	"math"
	"time"
)

// maxSeconds is the end of the year 9999, after which no format can write a
// time.
const maxSeconds = 253402300799

// TimeOf converts seconds since the epoch, as they come from the wire, to a
// time in UTC with a grain of microseconds. What no calendar can show is
// clamped.
func TimeOf(seconds float64) time.Time {
	if math.IsNaN(seconds) {
		seconds = 0
	}
	seconds = min(max(seconds, -maxSeconds), maxSeconds)
	whole, frac := math.Modf(seconds)
	return time.Unix(int64(whole), int64(math.Round(frac*1e6))*1000).UTC()
}

// TimeOfMillis is TimeOf for milliseconds.
func TimeOfMillis(ms int64) time.Time {
	return time.UnixMilli(min(max(ms, -maxSeconds*1000), maxSeconds*1000)).UTC()
}
