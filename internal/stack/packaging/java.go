package packaging

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// java packs code for a Java virtual machine: a Maven project is built, of the folder
// that Maven leaves behind the outcome is taken, anything else is packed as it is.
func (b builder) java(ctx context.Context) ([]byte, error) {
	switch {
	case b.has("pom.xml"):
		return b.maven(ctx)
	case b.has("build.gradle"), b.has("build.gradle.kts"):
		return nil, fmt.Errorf("%s is a Gradle project, and building those is not implemented: build it and let the path name the jar, "+
			"or a folder with the classes and their jars in lib", b.Path)
	case b.has("maven-archiver"), b.has("maven-status"):
		return b.mavenOutcome()
	}
	return b.pack(b.dir)
}

func (b builder) has(name string) bool {
	_, err := os.Stat(filepath.Join(b.dir, name))
	return err == nil
}

// maven builds a project where it is, and packs its classes with what they depend on.
func (b builder) maven(ctx context.Context) ([]byte, error) {
	if _, err := exec.LookPath("mvn"); err != nil {
		return nil, fmt.Errorf("its code in %s is a Maven project and the mvn command is not found: install Maven, "+
			"or build it elsewhere and let the path name the jar: %w", b.Path, err)
	}
	libraries, err := os.MkdirTemp("", "weir-build-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(libraries)
	b.progress("mvn package in %s", b.Path)
	err = command(ctx, b.dir, nil, "mvn", "-B", "-q", "-DskipTests", "package",
		"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+libraries)
	if err != nil {
		return nil, fmt.Errorf("its code in %s cannot be built: %w", b.Path, err)
	}
	return b.packJava(filepath.Join(b.dir, "target", "classes"), libraries)
}

// packJava packs classes with jars in lib.
func (b builder) packJava(classes, libraries string) ([]byte, error) {
	a := newArchive()
	err := a.addFolder("", classes, nil)
	if err == nil {
		err = a.addFolder("lib", libraries, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", b.Path, err)
	}
	zip, err := a.finish()
	if err != nil {
		return nil, fmt.Errorf("pack %s: %w", b.Path, err)
	}
	b.progress("packed %s (%s)", b.Path, size(len(zip)))
	return zip, nil
}

// mavenOutcome takes what a build has left: its classes with the jars that were
// copied beside them, else the one jar.
func (b builder) mavenOutcome() ([]byte, error) {
	if b.has("dependency") && b.has("classes") {
		return b.packJava(filepath.Join(b.dir, "classes"), filepath.Join(b.dir, "dependency"))
	}
	jars, err := filepath.Glob(filepath.Join(b.dir, "*.jar"))
	if err != nil {
		return nil, fmt.Errorf("look for jars: %w", err)
	}
	jars = slices.DeleteFunc(jars, func(jar string) bool {
		name := strings.TrimSuffix(filepath.Base(jar), ".jar")
		return strings.HasPrefix(name, "original-") || // what a jar with all dependencies was made of
			strings.HasSuffix(name, "-sources") || strings.HasSuffix(name, "-javadoc") || strings.HasSuffix(name, "-tests")
	})
	if len(jars) != 1 {
		return nil, fmt.Errorf("%s has %d jars that may be the function: let the path name one of them", b.Path, len(jars))
	}
	b.dir = jars[0]
	return b.file()
}
