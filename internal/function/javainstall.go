package function

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// artifact is a jar of the public Maven repository.
type artifact struct{ group, name, version, sha256 string }

// javaClientVersion is that of the runtime interface client.
const javaClientVersion = "2.9.0"

// javaArtifacts are the client and what it needs.
var javaArtifacts = []artifact{
	{"com.amazonaws", javaClient, javaClientVersion, "26568a5f63bf9e921567e77661be425650abc8972bae2aa0b7e99bab4e4239d9"},
	{"com.amazonaws", "aws-lambda-java-core", "1.4.0", "575c24393cc1ad645e83e618956eabd89ffe8cc09efae2cb62bc6589154d68ed"},
	{"com.amazonaws", "aws-lambda-java-serialization", "1.2.0", "1513c1f945a3213f916a4b2de1760c97b51d84d110f82bbbcf9cfac53d5651e7"},
	{"software.amazon.awssdk", "utils-lite", "2.34.0", "efaf784f07ae526f0b5c89d71ef21cf16636131c47d44616e3df9bedc3f4f89a"},
	{"software.amazon.awssdk", "annotations", "2.34.0", "fafdcb55f4e5af603f5219f4a2b080aa0decb562a7c0944f7a7eca82dd47e487"},
}

const (
	mavenCentral = "https://repo.maven.apache.org/maven2"
	// mavenRepositoryVariable is the environment variable that names the repository
	// that jars are downloaded from when there is no mvn.
	mavenRepositoryVariable = "WEIR_MAVEN_REPOSITORY"
	maxJarBytes             = 64 << 20
)

func (a artifact) file() string { return a.name + "-" + a.version + ".jar" }

func (a artifact) path() string {
	return strings.ReplaceAll(a.group, ".", "/") + "/" + a.name + "/" + a.version + "/" + a.file()
}

// installJava gets the runtime interface client: through Maven, which knows the
// mirrors and proxies of the machine, or if there is none from the repository
// itself. What comes must have the expected checksums either way.
func (r *Runtimes) installJava(ctx context.Context, progress io.Writer) error {
	target := r.installDir(sdkJavaClient)
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return fmt.Errorf("install Java client: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(target), ".install-")
	if err != nil {
		return fmt.Errorf("install Java client: %w", err)
	}
	defer os.RemoveAll(tmp) // gone when it has become the target
	if mvn, lookErr := exec.LookPath("mvn"); lookErr == nil {
		err = r.copyThroughMaven(ctx, mvn, tmp, progress)
	} else {
		err = download(ctx, mavenRepository(), tmp, progress)
	}
	if err != nil {
		return err
	}
	for _, a := range javaArtifacts {
		if err := a.verify(tmp); err != nil {
			return err
		}
	}
	library := javaLibrary()
	if err := extractFromJar(filepath.Join(tmp, javaArtifacts[0].file()), "jni/"+library, filepath.Join(tmp, library)); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(tmp, 0o755), os.RemoveAll(target)); err != nil {
		return fmt.Errorf("install Java client: %w", err)
	}
	if err := os.Rename(tmp, target); err != nil {
		return fmt.Errorf("install Java client: %w", err)
	}
	fmt.Fprintln(progress, "installed "+javaClient+" "+javaClientVersion)
	r.archiveAll(ctx, target, progress)
	return ctx.Err()
}

// archiveAll lets every virtual machine on this machine make its archive of the
// client's classes. Functions run without as well.
func (r *Runtimes) archiveAll(ctx context.Context, dir string, progress io.Writer) {
	if runtime.GOOS != "linux" {
		return
	}
	for _, jvm := range r.List(ctx).Interpreters {
		if jvm.Language != string(familyJava) {
			continue
		}
		if err := archiveJavaClasses(ctx, jvm, dir); err != nil {
			fmt.Fprintf(progress, "functions start slower with %s: %v\n", jvm.Path, err)
			continue
		}
		fmt.Fprintln(progress, "archived classes for "+jvm.Path)
	}
}

// verify compares a file with the checksum that is expected of it.
func (a artifact) verify(dir string) error {
	content, err := os.ReadFile(filepath.Join(dir, a.file()))
	if err != nil {
		return fmt.Errorf("install Java client: %w", err)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != a.sha256 {
		return fmt.Errorf("install Java client: %s has the checksum %x and not %s: it is not the file that was published", a.file(), sum, a.sha256)
	}
	return nil
}

// copyThroughMaven lets Maven resolve a project that depends on the artifacts.
func (r *Runtimes) copyThroughMaven(ctx context.Context, mvn, dir string, progress io.Writer) error {
	var project strings.Builder
	project.WriteString(`<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>` +
		`<groupId>weir</groupId><artifactId>runtime</artifactId><version>1</version><packaging>pom</packaging><dependencies>`)
	for _, a := range javaArtifacts {
		fmt.Fprintf(&project, `<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>`, a.group, a.name, a.version)
	}
	project.WriteString(`</dependencies></project>`)
	pom := filepath.Join(dir, "pom.xml")
	if err := os.WriteFile(pom, []byte(project.String()), 0o644); err != nil {
		return fmt.Errorf("install Java client: %w", err)
	}
	if err := r.run(ctx, progress, dir, mvn, "-B", "-q", "-f", pom,
		"org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies", "-DexcludeTransitive=true", "-DoutputDirectory="+dir); err != nil {
		return err
	}
	return os.Remove(pom)
}

// download gets the artifacts from a repository of Maven's layout.
func download(ctx context.Context, repository, dir string, progress io.Writer) error {
	for _, a := range javaArtifacts {
		url := repository + "/" + a.path()
		fmt.Fprintln(progress, "downloading "+url)
		if err := fetch(ctx, url, filepath.Join(dir, a.file())); err != nil {
			return fmt.Errorf("install Java client: %w", err)
		}
	}
	return nil
}

func fetch(ctx context.Context, url, target string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	return writeWhole(target, io.LimitReader(res.Body, maxJarBytes))
}

// mavenRepository is the repository that is named by the environment, a mirror of
// the central one in the user's settings for Maven, or the central one.
func mavenRepository() string {
	if url := os.Getenv(mavenRepositoryVariable); url != "" {
		return strings.TrimSuffix(url, "/")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return mavenCentral
	}
	settings, err := os.ReadFile(filepath.Join(home, ".m2", "settings.xml"))
	if err != nil {
		return mavenCentral
	}
	return strings.TrimSuffix(cmp.Or(mirrorOfCentral(settings), mavenCentral), "/")
}

// mirrorOfCentral returns the URL of the mirror that Maven would use for the
// central repository, "" if there is none.
func mirrorOfCentral(settings []byte) string {
	var doc struct {
		Mirrors []struct {
			Of  string `xml:"mirrorOf"`
			URL string `xml:"url"`
		} `xml:"mirrors>mirror"`
	}
	if err := xml.NewDecoder(bytes.NewReader(settings)).Decode(&doc); err != nil {
		return ""
	}
	for _, m := range doc.Mirrors {
		wanted := false
		for pattern := range strings.SplitSeq(m.Of, ",") {
			switch strings.TrimSpace(pattern) {
			case "central", "*", "external:*":
				wanted = true
			case "!central":
				wanted = false
			}
		}
		if wanted {
			return strings.TrimSpace(m.URL)
		}
	}
	return ""
}
