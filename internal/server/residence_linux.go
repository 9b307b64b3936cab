package server

import (
	"bufio"
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
// It only touches mappings of the program's file that hold no page of their own,
// for which forgetting a page and reading it again is the same. Everything here is
// best effort, as it only saves memory.
func releaseStartPages() {
	program, err := os.Executable()
	if err != nil {
		return
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer maps.Close()
	var start, end uint64
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) >= 6 && strings.Contains(fields[0], "-"):
			start, end = 0, 0
			if fields[len(fields)-1] == program && fields[1] != "rw-p" {
				start, end = parseRange(fields[0])
			}
		case len(fields) == 3 && fields[0] == "Private_Dirty:" && end > start && fields[1] == "0":
			release(uintptr(start), uintptr(end-start))
		}
	}
}

// release forgets the pages of a mapping. Those that come back come singly: a file
// that was just written is cached in huge pages, and one touch would bring in 2 MB.
func release(start, length uintptr) {
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, start, length, unix.MADV_NOHUGEPAGE)
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, start, length, unix.MADV_DONTNEED)
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
