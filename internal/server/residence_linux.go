package server

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// releaseStartPages gives back the pages of the program's own file that starting
// has touched and running may never need again: the tables of API shapes and the
// code that builds them are most of the file. What is needed later is mapped again
// from the page cache.
//
// It only touches mappings of the program's file that hold no page of their own
// (Anonymous), for which forgetting a page and reading it again is the same.
// Private_Dirty would not tell: in it are the file's pages too until the kernel has
// written them to the disk, as after a build. Everything here is best effort, as it
// only saves memory.
func releaseStartPages() {
	if program, err := os.Executable(); err == nil {
		releaseProgram(program)
	}
}

func releaseProgram(program string) {
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	var start, end uint64
	for line := range strings.Lines(string(maps)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		if !strings.HasSuffix(fields[0], ":") {
			start, end = 0, 0
			if fields[len(fields)-1] == program && !strings.Contains(fields[1], "w") {
				start, end = parseRange(fields[0])
			}
		}
		if fields[0] == "Anonymous:" && fields[1] == "0" && end > start {
			release(uintptr(start), uintptr(end-start))
		}
	}
}

// pieceLength is how much of the program's file a touch may bring back at most.
const pieceLength = 256 << 10

// release forgets the pages of a mapping and sees to it that few come back with a
// touch. A file that was just written is cached in pieces of up to 2 MB, of which
// Linux maps a whole one on a touch of any page in it (since 6.18 also where huge
// pages are refused), unless the mapping ends before it does. Every second piece is
// therefore given another flag, one that means nothing for pages of a file (they
// are in no core dump anyway), which makes each piece a mapping of its own.
func release(start, length uintptr) {
	madvise(start, length, unix.MADV_NOHUGEPAGE)
	for at := uintptr(0); at < length; at += 2 * pieceLength {
		madvise(start+at, min(pieceLength, length-at), unix.MADV_DONTDUMP)
	}
	madvise(start, length, unix.MADV_DONTNEED)
}

func madvise(start, length uintptr, advice uintptr) {
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, start, length, advice)
}

func parseRange(s string) (start, end uint64) {
	from, to, _ := strings.Cut(s, "-")
	start, err := strconv.ParseUint(from, 16, 64)
	if err != nil {
		return 0, 0
	}
	if end, err = strconv.ParseUint(to, 16, 64); err != nil {
		return 0, 0
	}
	return start, end
}
