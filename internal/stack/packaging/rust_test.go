package packaging

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

func TestRustSourceIsBuilt(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("cargo"); err != nil {
		t.Skip("there is no cargo")
	}
	const manifest = "[package]\nname = \"counter\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n"
	dir := write(t, map[string]string{
		"one/Cargo.toml": manifest, "one/src/main.rs": "fn main() {}",
		"two/Cargo.toml": manifest, "two/src/bin/a.rs": "fn main() {}", "two/src/bin/b.rs": "fn main() {}",
		"broken/Cargo.toml": manifest, "broken/src/main.rs": "fn main() { nonsense }",
	})
	const method = "    Metadata: {BuildMethod: rust-cargolambda}\n"
	for _, c := range []struct{ name, path, metadata, want string }{
		{"no method", "one", "", "-rwxr-xr-x bootstrap"},
		{"method", "one", method, "-rwxr-xr-x bootstrap"},
		{"one of two", "two", "    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: b}}\n", "-rwxr-xr-x bootstrap"},
		{"two", "two", method, "function F (line 5): its code in two makes 2 programs ("},
		{"broken", "broken", method, "function F (line 5): its code in broken does not compile: cargo build"},
	} {
		text := append(function("Runtime: provided.al2023, Handler: bootstrap, CodeUri: "+c.path), c.metadata...)
		zips, err := Package(t.Context(), text, Options{Dir: dir})
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = list(t, zips["F"])
		}
		if !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: got %s", c.name, got)
		}
		if c.name == "broken" && !strings.Contains(got, "cannot find value `nonsense`") {
			t.Errorf("the compiler's words are missing: %s", got)
		}
	}
}

func TestExecutablesOfCargo(t *testing.T) {
	t.Parallel()
	got := executables([]byte("a build script says\n" +
		`{"reason":"compiler-artifact","target":{"kind":["lib"]},"executable":null}` + "\n" +
		`{"reason":"compiler-artifact","target":{"kind":["custom-build"]},"executable":"/t/build"}` + "\n" +
		`{"reason":"compiler-artifact","target":{"kind":["bin"]},"executable":"/t/release/f"}` + "\n" +
		`{"reason":"build-finished","success":true}`))
	if !slices.Equal(got, []string{"/t/release/f"}) {
		t.Error(got)
	}
}
