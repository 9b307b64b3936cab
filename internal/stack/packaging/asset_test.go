package packaging

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cdkManifest has a folder, a file and a template for the bucket, as cdk synth writes
// it.
const cdkManifest = `{"version": "55.0.0", "files": {
  "aa": {"displayName": "F/Code", "source": {"path": "asset.aa", "packaging": "zip"}, "destinations": {
    "current": {"bucketName": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}", "objectKey": "aa.zip"}}},
  "bb": {"source": {"path": "asset.bb.zip", "packaging": "file"}, "destinations": {
    "current": {"bucketName": "cdk-hnb659fds-assets-123456789012-${AWS::Region}", "objectKey": "bb.zip"}}},
  "cc": {"source": {"executable": ["make"], "packaging": "file"}, "destinations": {
    "current": {"bucketName": "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}", "objectKey": "cc.zip"}}}
}, "dockerImages": {}}`

func bucketFunction(id, bucket, key string) string {
	return fmt.Sprintf("  %s: {Type: AWS::Lambda::Function, Properties: {Runtime: python3.12, Handler: i.h, Role: r, Code: {S3Bucket: %s, S3Key: %s}}}\n", id, bucket, key)
}

func TestAssetsOfCDK(t *testing.T) {
	t.Parallel()
	text := "Rules: {R: {Assertions: [{Assert: !Equals [a, b]}]}}\nResources:\n" +
		bucketFunction("Folder", `!Sub "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"`, "aa.zip") +
		bucketFunction("File", `!Sub "cdk-hnb659fds-assets-123456789012-${AWS::Region}"`, "bb.zip") +
		bucketFunction("Made", `!Sub "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"`, "cc.zip") +
		bucketFunction("OtherBucket", "code", "aa.zip") +
		bucketFunction("OtherKey", `!Sub "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"`, "dir/aa.zip")
	dir := write(t, map[string]string{"App.assets.json": cdkManifest, "asset.bb.zip": "a zip",
		"asset.aa/i.py": "x", "asset.aa/requirements.txt": "never-installed\n"})
	opts := Options{Dir: dir, Name: "App.template.json"}
	got, err := Package(t.Context(), []byte(text), opts)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || string(got["File"]) != "a zip" {
		t.Errorf("packed %q", got)
	}
	if files, want := list(t, got["Folder"]), "-rw-r--r-- i.py\n-rw-r--r-- requirements.txt"; files != want {
		t.Errorf("got\n%s\nwant\n%s", files, want)
	}
	for _, name := range []string{"", "template.yaml", "Other.template.json"} {
		got, err := Package(t.Context(), []byte(text), Options{Dir: dir, Name: name})
		if err != nil || len(got) != 0 {
			t.Errorf("%q: packed %d %v", name, len(got), err)
		}
	}
	if err := os.RemoveAll(filepath.Join(dir, "asset.aa")); err != nil {
		t.Fatal(err)
	}
	if _, err := Package(t.Context(), []byte(text), opts); err == nil || !strings.Contains(err.Error(), "function Folder (line 3): its code asset.aa cannot be read") {
		t.Errorf("without the asset: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "App.assets.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Package(t.Context(), []byte(text), opts); err == nil || !strings.Contains(err.Error(), "read the assets of the template") {
		t.Errorf("a broken manifest: %v", err)
	}
}

func TestPackagesOfServerless(t *testing.T) {
	t.Parallel()
	text := "Resources:\n  B: {Type: AWS::S3::Bucket}\n" +
		bucketFunction("F", "!Ref B", "serverless/app/dev/1700000000000-2023-11-14T22:13:20.000Z/app.zip") +
		bucketFunction("G", "!Ref B", "serverless/app/dev/other.zip")
	dir := write(t, map[string]string{"app.zip": "a zip"})
	got, err := Package(t.Context(), []byte(text), Options{Dir: dir, Name: "cloudformation-template-update-stack.json"})
	if err != nil || len(got) != 1 || !bytes.Equal(got["F"], []byte("a zip")) {
		t.Errorf("packed %q %v", got, err)
	}
}

func TestWhatSAMHasBuiltIsNotBuiltAgain(t *testing.T) {
	t.Parallel()
	text := `Transform: AWS::Serverless-2016-10-31
Resources:
  Go:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: go1.x, SamResourceId: Go}
    Properties: {CodeUri: Go, Handler: bootstrap, Runtime: provided.al2023}
  Made:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile, SamResourceId: Made}
    Properties: {CodeUri: Made, Handler: bootstrap, Runtime: provided.al2023}
  Py:
    Type: AWS::Serverless::Function
    Metadata: {SamResourceId: Py}
    Properties: {CodeUri: Py, Handler: i.h, Runtime: python3.12}
`
	dir := write(t, map[string]string{"Go/bootstrap*": "x", "Made/bootstrap*": "x", "Py/i.py": "x", "Py/requirements.txt": "no-such-package\n"})
	got, err := Package(t.Context(), []byte(text), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{"Go": "-rwxr-xr-x bootstrap", "Made": "-rwxr-xr-x bootstrap", "Py": "-rw-r--r-- i.py\n-rw-r--r-- requirements.txt"} {
		if files := list(t, got[id]); files != want {
			t.Errorf("%s: got\n%s\nwant\n%s", id, files, want)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add([]byte(cdkManifest))
	f.Fuzz(func(t *testing.T, text []byte) {
		file := filepath.Join(t.TempDir(), "App.assets.json")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := readManifest(file)
		if err != nil && len(found) > 0 {
			t.Errorf("%d assets beside %v", len(found), err)
		}
	})
}
