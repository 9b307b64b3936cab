package packaging

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/weirstream/weir/internal/catalog"
	"github.com/weirstream/weir/internal/stack/template"
)

// Tools that make templates have the code of functions in a bucket, which they fill
// before they deploy, and keep it beside the template until then. What they would
// upload is sent with the template instead.

// How the names of templates end that the AWS CDK writes, and the name of the one
// that the Serverless Framework writes.
const (
	CDKTemplate        = ".template.json"
	ServerlessTemplate = "cloudformation-template-update-stack.json"
)

// asset is a place in a bucket; no bucket stands for any.
type asset struct{ bucket, key string }

// assets are the local folders and files that belong into buckets.
type assets map[asset]string

// find returns the local path of code that is said to be in a bucket.
func (a assets) find(code *template.Node) (path string, ok bool) {
	bucket, key := code.Get("S3Bucket"), code.Get("S3Key")
	if !key.IsScalar() {
		return "", false
	}
	if bucket.IsScalar() {
		if path, ok = a[asset{bucket.Text, key.Text}]; ok {
			return path, true
		}
	}
	path, ok = a[asset{key: objectName(key.Text)}]
	return path, ok
}

// objectName is the last part of a key.
func objectName(key string) string { return key[strings.LastIndexByte(key, '/')+1:] }

// readAssets finds what lies beside a template for buckets.
func readAssets(opts Options) (assets, error) {
	if name, ok := strings.CutSuffix(opts.Name, CDKTemplate); ok {
		return readManifest(filepath.Join(opts.Dir, name+".assets.json"))
	}
	if opts.Name != ServerlessTemplate {
		return nil, nil
	}
	// The Serverless Framework uploads every zip of its folder under a new prefix.
	zips, err := filepath.Glob(filepath.Join(opts.Dir, "*.zip"))
	if err != nil {
		return nil, fmt.Errorf("look for packages: %w", err)
	}
	found := assets{}
	for _, zip := range zips {
		found[asset{key: filepath.Base(zip)}] = filepath.Base(zip)
	}
	return found, nil
}

// manifest is what the AWS CDK writes about the assets of a stack, as far as it is
// needed.
type manifest struct {
	Files map[string]struct {
		Source       struct{ Path string }
		Destinations map[string]struct{ BucketName, ObjectKey string }
	}
}

// maxManifest is how large a manifest may be in bytes.
const maxManifest = 16 << 20

func readManifest(file string) (assets, error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && info.Size() > maxManifest {
		err = fmt.Errorf("it is larger than %d bytes", maxManifest)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(file)
	}
	var m manifest
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return nil, fmt.Errorf("read the assets of the template in %s: %w", file, err)
	}
	// The same stand-ins as where the template is looked at.
	id := catalog.DefaultIdentity
	fill := strings.NewReplacer("${AWS::AccountId}", id.Account, "${AWS::Region}", id.Region, "${AWS::Partition}", id.Partition)
	found := assets{}
	for _, f := range m.Files {
		for _, d := range f.Destinations {
			if f.Source.Path != "" {
				found[asset{fill.Replace(d.BucketName), d.ObjectKey}] = f.Source.Path
			}
		}
	}
	return found, nil
}
