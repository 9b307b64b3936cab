package function

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// trainingHandler is a method that every virtual machine has and that the client
	// can call with any event.
	trainingHandler = "java.util.HashSet::add"
	trainingTime    = 2 * time.Minute
	// firstArchiving is the first version that can archive what a program has loaded.
	firstArchiving = 13
)

// javaArchive is the file with the classes of the client as a virtual machine has
// loaded them once; with it a function starts in a third of the time. The machine
// ignores one that does not fit its version or the jars.
func javaArchive(dir string, jvm Interpreter) string {
	sum := sha256.Sum256([]byte(jvm.Path + "\n" + jvm.Version))
	return filepath.Join(dir, "classes-"+hex.EncodeToString(sum[:4])+".jsa")
}

// javaClassPath lists the jars of a folder, always in the same order, as an archive
// is only good for one.
func javaClassPath(dir string) string {
	jars, _ := filepath.Glob(filepath.Join(dir, "*.jar")) // the pattern is well-formed
	slices.Sort(jars)
	return strings.Join(jars, ":")
}

// archiveJavaClasses makes the archive of a virtual machine: the client serves one
// event of a Runtime API that is made up, and ends.
func archiveJavaClasses(ctx context.Context, jvm Interpreter, dir string) error {
	if v, ok := parseVersion(jvm.Version); !ok || v[0] < firstArchiving {
		return fmt.Errorf("version %s cannot archive classes", jvm.Version)
	}
	ctx, cancel := context.WithTimeout(ctx, trainingTime)
	defer cancel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	done := make(chan struct{})
	server := &http.Server{Handler: training(ctx, done), ReadHeaderTimeout: trainingTime}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) }) // until it is closed
	defer serving.Wait()
	defer server.Close()

	target := javaArchive(dir, jvm)
	tmp := target + ".new"
	defer os.Remove(tmp) // gone when it has become the target
	options := append(javaOptions(jvm, Definition{MemoryMB: 512}), "-XX:ArchiveClassesAtExit="+tmp, "-Xlog:cds=off", "-Xlog:cds+dynamic=off",
		"-D"+javaNative+"="+filepath.Join(dir, javaLibrary()), "-cp", javaClassPath(dir), javaClientMain, trainingHandler)
	cmd := exec.CommandContext(ctx, jvm.Path, options...)
	cmd.Dir = dir
	cmd.Env = trainingVariables(listener.Addr().String())
	ended := make(chan error, 1)
	if err := cmd.Start(); err != nil {
		return err
	}
	serving.Go(func() { ended <- cmd.Wait() })
	select {
	case <-done:
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		<-ended                                 // with a status that tells of the signal
	case err := <-ended:
		return fmt.Errorf("%s has ended before its time: %w", jvm.Path, err)
	}
	return os.Rename(tmp, target)
}

// training is a Runtime API with one event; done is closed when that is answered
// and the next is asked for.
func training(ctx context.Context, done chan struct{}) http.Handler {
	var mu sync.Mutex
	asked := 0
	api := http.NewServeMux()
	api.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked++
		n := asked
		mu.Unlock()
		if n > 1 {
			if n == 2 {
				close(done)
			}
			select {
			case <-ctx.Done():
			case <-r.Context().Done():
			}
			return
		}
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", "training")
		h.Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(trainingTime).UnixMilli()))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:training")
		_, _ = io.WriteString(w, `{"Records":[{"text":"a","number":1.5}]}`)
	})
	api.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusAccepted)
	})
	return api
}

func trainingVariables(api string) []string {
	return []string{
		"AWS_LAMBDA_RUNTIME_API=" + api, "_HANDLER=" + trainingHandler, "LANG=en_US.UTF-8", "PATH=" + os.Getenv("PATH"),
		"AWS_REGION=us-east-1", "AWS_LAMBDA_FUNCTION_NAME=training", "AWS_LAMBDA_FUNCTION_VERSION=" + LatestVersion,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=512", "AWS_LAMBDA_LOG_GROUP_NAME=training", "AWS_LAMBDA_LOG_STREAM_NAME=training",
	}
}
