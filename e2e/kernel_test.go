//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The tests leave nothing in the background: a kernel is kept only where a test
// is about it.
func init() { os.Setenv("BAILEY_KERNEL", "off") }

// keepKernel has this test's synths keep a kernel, until it ends.
func keepKernel(t testing.TB) {
	t.Helper()
	t.Setenv("BAILEY_KERNEL", "")
	folder := filepath.Join(t.TempDir(), "k")
	t.Setenv("BAILEY_KERNEL_DIR", folder)
	t.Cleanup(func() {
		succeed(t, root, bailey(t), "kernel", "stop")
	})
}

type kernelStatus struct {
	PID, KernelPID, Served int
	State                  string
	Index                  bool
}

// askKernel is zero where nothing answers.
func askKernel(t testing.TB, dir string) (s kernelStatus) {
	t.Helper()
	if o := execute(t, dir, "", bailey(t), "kernel", "status", "--json"); o.status == 0 {
		_ = json.Unmarshal([]byte(o.stdout), &s) // as far as it goes
	}
	return s
}

// readyKernel waits until a kernel is ready that nobody has used.
func readyKernel(t testing.TB, dir string) (s kernelStatus) {
	t.Helper()
	for range 600 {
		if s = askKernel(t, dir); s.State == "ready" {
			return s
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatal("no kernel is ready after a minute")
	return s
}

// synthInto runs the app of a folder in any case, and returns the assembly.
func synthInto(t testing.TB, dir string, more ...string) (assembly string) {
	t.Helper()
	assembly = filepath.Join(t.TempDir(), "cdk.out")
	arguments := append([]string{"synth", "--force", "--assembly", assembly, "--output-dir", filepath.Join(t.TempDir(), "build")}, more...)
	succeed(t, dir, bailey(t), arguments...)
	return assembly
}

// knownApps waits until the versions of that many apps are known.
func knownApps(t testing.TB, n int) {
	t.Helper()
	for range 600 {
		found, err := filepath.Glob(filepath.Join(os.Getenv("BAILEY_KERNEL_DIR"), "app-*.json"))
		if err == nil && len(found) == n {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("the versions of %d apps are not known after a minute", n)
}

// contents maps the files of an assembly to their text.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		files[strings.TrimPrefix(path, dir)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func same(t testing.TB, what string, got, want map[string]string) {
	t.Helper()
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %s differs:\n%.2000s\nwant:\n%.2000s", what, name, got[name], want[name])
		}
	}
	if len(got) != len(want) || len(want) < 3 {
		t.Errorf("%s: %d files, want %d", what, len(got), len(want))
	}
}

// assetApp is a second app, in another folder, that depends on its working folder,
// its environment and its context.
const assetApp = `package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/jsii-runtime-go"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Assets"), nil)
	asset := awss3assets.NewAsset(stack, jsii.String("Page"), &awss3assets.AssetProps{Path: jsii.String("page")})
	awscdk.NewCfnOutput(stack, jsii.String("Key"), &awscdk.CfnOutputProps{Value: asset.S3ObjectKey()})
	awscdk.NewCfnOutput(stack, jsii.String("Given"), &awscdk.CfnOutputProps{Value: jsii.Sprintf("%v", stack.Node().TryGetContext(jsii.String("given")))})
	app.Synth(nil)
}
`

func assets(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, name), string(text))
	}
	put(t, filepath.Join(dir, "main.go"), assetApp)
	put(t, filepath.Join(dir, "page", "index.html"), "<p>")
	put(t, filepath.Join(dir, "cdk.json"), `{"app":"go mod download && go run main.go"}`)
	return dir
}

func put(t testing.TB, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestKernels: assemblies from warm and cold kernels are the same, byte for byte,
// whoever used the kernels before and whatever happens to what keeps them.
func TestKernels(t *testing.T) {
	keepKernel(t)
	other := assets(t)
	cold := contents(t, synthInto(t, root, "--cold"))
	coldOther := contents(t, synthInto(t, other, "--cold", "-c", "given=1"))
	synthInto(t, root) // starts what keeps them
	for i := range 2 {
		if s := readyKernel(t, root); s.Served != 2*i {
			t.Fatalf("%d kernels were used, want %d", s.Served, 2*i)
		}
		same(t, "the storefront", contents(t, synthInto(t, root)), cold)
		readyKernel(t, root)
		if i == 0 {
			// Its versions become known after this one, which is cold.
			synthInto(t, other, "-c", "given=1")
			knownApps(t, 2)
		}
		same(t, "the other app", contents(t, synthInto(t, other, "-c", "given=1")), coldOther)
	}
	examples, err := filepath.Glob(filepath.Join(root, "examples", "*", "cdk.json"))
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range examples {
		dir := filepath.Dir(file)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			cold := contents(t, synthInto(t, dir, "--cold"))
			synthInto(t, dir)
			knownApps(t, 3+i)
			served := readyKernel(t, dir).Served
			same(t, "the example", contents(t, synthInto(t, dir)), cold)
			if now := readyKernel(t, dir).Served; now != served+1 {
				t.Errorf("%d kernels were used, then %d", served, now)
			}
		})
	}
	t.Run("two at once", func(t *testing.T) {
		readyKernel(t, root)
		var wait sync.WaitGroup
		for range 2 {
			wait.Go(func() { same(t, "one of two", contents(t, synthInto(t, root)), cold) })
		}
		wait.Wait()
	})
	t.Run("keeper killed", func(t *testing.T) {
		s := readyKernel(t, root)
		killed := make(chan error)
		go func() {
			for s.Served == askKernel(t, root).Served {
				time.Sleep(time.Millisecond)
			}
			killed <- syscall.Kill(s.PID, syscall.SIGKILL) // in the middle of it
		}()
		same(t, "with its keeper killed", contents(t, synthInto(t, root)), cold)
		if err := <-killed; err != nil {
			t.Fatal(err)
		}
		same(t, "with a socket that was left behind", contents(t, synthInto(t, root)), cold)
		if now := readyKernel(t, root); now.PID == s.PID {
			t.Error("the killed one answers")
		}
	})
	t.Run("none left", func(t *testing.T) {
		s := readyKernel(t, root)
		succeed(t, root, bailey(t), "kernel", "stop")
		for _, pid := range []int{s.PID, s.KernelPID} {
			if err := gone(pid); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestKernelsIndex: where jsii has no package cache yet, two synths at a time make
// one, the kernel that waits gets it the index, and the assembly stays the same.
func TestKernelsIndex(t *testing.T) {
	dir := assets(t)
	want := contents(t, synthInto(t, dir, "--cold"))
	keepKernel(t)
	t.Setenv("JSII_RUNTIME_PACKAGE_CACHE_ROOT", t.TempDir())
	var wait sync.WaitGroup
	for range 2 {
		wait.Go(func() { same(t, "one of two", contents(t, synthInto(t, dir)), want) })
	}
	wait.Wait()
	s := readyKernel(t, dir)
	for end := time.Now().Add(time.Minute); !s.Index && time.Now().Before(end); s = readyKernel(t, dir) {
		time.Sleep(100 * time.Millisecond)
	}
	if !s.Index {
		t.Fatal("there is no index after a minute")
	}
	same(t, "with the index", contents(t, synthInto(t, dir)), want)
	if now := readyKernel(t, dir); now.Served != s.Served+1 {
		t.Errorf("%d kernels were used, then %d", s.Served, now.Served)
	}
}

func gone(pid int) error {
	for range 50 {
		if syscall.Kill(pid, 0) == syscall.ESRCH {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("process %d is still there", pid)
}
