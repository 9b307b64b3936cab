package server

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestReleaseForgetsAFileJustWritten maps a file whose pages are not on the disk
// yet, as a program's after its build, and looks at what is resident.
func TestReleaseForgetsAFileJustWritten(t *testing.T) {
	t.Parallel()
	const length = 8 << 20
	file, err := os.Create(filepath.Join(t.TempDir(), "program"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write([]byte(strings.Repeat("weir", length/4))); err != nil {
		t.Fatal(err)
	}
	pages, err := unix.Mmap(int(file.Fd()), 0, length, unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(pages) }()
	sum := 0
	for at := 0; at < length; at += os.Getpagesize() {
		sum += int(pages[at])
	}
	if got := residentKB(t, file.Name()); got != length>>10 {
		t.Fatalf("%d KB are resident after touching each page, want %d", got, length>>10)
	}
	releaseProgram(file.Name())
	if got := residentKB(t, file.Name()); got != 0 {
		t.Errorf("%d KB are resident after letting go", got)
	}
	sum += int(pages[length/2])
	if got := residentKB(t, file.Name()); got == 0 || got > pieceLength>>10 {
		t.Errorf("%d KB are resident after a touch, want at most a piece, %d", got, pieceLength>>10)
	}
	if want := 'w' * (length/os.Getpagesize() + 1); sum != want {
		t.Errorf("the pages read as %d in sum, want %d", sum, want)
	}
}

// TestReleaseKeepsPagesOfItsOwn changes a page of a mapping, as a linker does with
// addresses: forgetting it would undo the change.
func TestReleaseKeepsPagesOfItsOwn(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(name, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	pages, err := unix.Mmap(int(file.Fd()), 0, 1<<20, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Munmap(pages) }()
	pages[4096] = 42
	if err := unix.Mprotect(pages, unix.PROT_READ); err != nil {
		t.Fatal(err)
	}
	releaseProgram(name)
	if pages[4096] != 42 {
		t.Errorf("the page reads as %d, want the 42 written before", pages[4096])
	}
}

// residentKB adds up what is resident of the mappings of a file.
func residentKB(t *testing.T, name string) int {
	t.Helper()
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	sum, inside := 0, false
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if !strings.HasSuffix(fields[0], ":") {
			inside = fields[len(fields)-1] == name
		}
		if inside && fields[0] == "Rss:" {
			kb, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(fmt.Errorf("smaps: %q: %w", lines.Text(), err))
			}
			sum += kb
		}
	}
	return sum
}
