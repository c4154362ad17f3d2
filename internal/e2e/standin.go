package e2e

import (
	"archive/tar"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed standin
var bootstraps embed.FS

// standIn is a root file system with what AWS's image of a runtime has that
// the SAM CLI and a function need.
type standIn struct {
	// key names what it was made of, origin says it in words.
	key, origin string
	environment []string
	// host are files and folders of this machine, at the same path inside.
	host []string
	// clients maps folders of this machine to their path inside.
	clients map[string]string
	// links maps the path of a symbolic link to its target.
	links map[string]string
	// bootstrap is the text of /var/runtime/bootstrap, "" for a runtime whose
	// functions bring their own.
	bootstrap string
}

// tools are what the SAM CLI's own layer on the image runs, and a few that
// help a person who looks inside.
var tools = []string{"sh", "mv", "chmod", "env", "ls", "cat", "mkdir", "rm"}

func newStandIn(runtimeID string, progress io.Writer) (*standIn, error) {
	s := &standIn{
		clients: map[string]string{},
		links:   map[string]string{},
		environment: []string{
			"LANG=en_US.UTF-8", "TZ=:/etc/localtime",
			"PATH=/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
			"LAMBDA_TASK_ROOT=/var/task", "LAMBDA_RUNTIME_DIR=/var/runtime",
		},
	}
	for _, tool := range tools {
		found, err := mustExecutable(tool)
		if err != nil {
			return nil, err
		}
		if s.links["/bin/"+tool], err = filepath.EvalSymlinks(found); err != nil {
			return nil, err
		}
		s.host = append(s.host, s.links["/bin/"+tool])
	}
	var err error
	switch {
	case strings.HasPrefix(runtimeID, "provided"):
		s.origin = "this machine's shell"
	case strings.HasPrefix(runtimeID, "nodejs"):
		err = s.addNode(runtimeID, progress)
	case strings.HasPrefix(runtimeID, "python"):
		err = s.addPython(runtimeID, progress)
	default:
		err = fmt.Errorf("none is known for %s", runtimeID)
	}
	if err != nil {
		return nil, err
	}
	return s, s.identify()
}

// nodeClient is the version of AWS's runtime interface client for Node.js.
// Version 4 needs Node.js 22.
func nodeClient(runtimeID string) string {
	if runtimeID < "nodejs22" {
		return "3.3.0"
	}
	return "4.0.2"
}

func (s *standIn) addNode(runtimeID string, progress io.Writer) error {
	node, err := interpreter("node", runtimeID, "nodejs", "-p", "process.versions.node.split('.')[0] + '.x'")
	if err != nil {
		return err
	}
	version := nodeClient(runtimeID)
	// Only the client's own script is used: its native part, an HTTP client,
	// is compiled at installation with tools that this machine may lack, so
	// standin/nodejs stands in for that.
	client, err := installOnce("aws-lambda-ric", version, progress, func(dir string) error {
		archive, err := run("npm", "pack", "--silent", "--pack-destination", dir, "aws-lambda-ric@"+version)
		if err != nil {
			return err
		}
		_, err = run("tar", "-xzf", filepath.Join(dir, path.Base(archive)), "-C", dir)
		return err
	})
	if err != nil {
		return err
	}
	s.origin = fmt.Sprintf("this machine's %s and aws-lambda-ric %s", node, version)
	s.host = append(s.host, node)
	s.links["/var/lang/bin/node"] = node
	s.clients[filepath.Join(client, "package")] = "/var/runtime/aws-lambda-ric"
	return s.setBootstrap("nodejs", runtimeID)
}

// pythonClient is the version of AWS's runtime interface client for Python.
const pythonClient = "4.2.2"

func (s *standIn) addPython(runtimeID string, progress io.Writer) error {
	python, err := interpreter("python3", runtimeID, "python", "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
	if err != nil {
		return err
	}
	client, err := installOnce("awslambdaric", pythonClient+"-"+runtimeID, progress, func(dir string) error {
		_, err := run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", dir, "awslambdaric=="+pythonClient)
		return err
	})
	if err != nil {
		return err
	}
	where, err := run(python, "-c", "import sys, sysconfig; print(sysconfig.get_path('stdlib')); print(sys._base_executable)")
	if err != nil {
		return err
	}
	stdlib, binary, _ := strings.Cut(where, "\n")
	if binary, err = filepath.EvalSymlinks(binary); err != nil {
		return err
	}
	s.origin = fmt.Sprintf("this machine's %s and awslambdaric %s", binary, pythonClient)
	s.host = append(s.host, binary, stdlib)
	s.links["/var/lang/bin/"+runtimeID] = binary
	s.links["/var/lang/bin/python3"] = binary
	s.clients[client] = "/var/runtime"
	return s.setBootstrap("python", runtimeID)
}

// interpreter is the path of this machine's interpreter, which must be of the
// runtime's version.
func interpreter(name, runtimeID, prefix string, version ...string) (string, error) {
	path, err := mustExecutable(name)
	if err != nil {
		return "", err
	}
	found, err := run(path, version...)
	if err != nil {
		return "", err
	}
	if prefix+found != runtimeID {
		return "", fmt.Errorf("%s is of %s%s, and %s is wanted", path, prefix, found, runtimeID)
	}
	return filepath.EvalSymlinks(path)
}

func (s *standIn) setBootstrap(folder, runtimeID string) error {
	text, err := bootstraps.ReadFile("standin/" + folder + "/bootstrap")
	s.bootstrap = strings.ReplaceAll(string(text), "@RUNTIME@", runtimeID)
	return err
}

// identify names the stand-in by the files of this machine that it was made
// of, by their size and time, so that a look costs nothing.
func (s *standIn) identify() error {
	parts := []string{"format 1", s.origin, s.bootstrap, strings.Join(s.environment, " ")}
	err := fs.WalkDir(bootstraps, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := bootstraps.ReadFile(name)
		parts = append(parts, name, string(text))
		return err
	})
	for _, file := range s.host {
		info, statErr := os.Stat(file)
		if statErr != nil {
			return statErr
		}
		parts = append(parts, fmt.Sprint(file, info.Size(), info.ModTime().UnixNano()))
	}
	s.key = keyOf(parts...)
	return err
}

// write writes the root file system as an archive.
func (s *standIn) write(w *tar.Writer) error {
	a := &archive{Writer: w, have: map[string]bool{}}
	for _, folder := range []string{"var/task", "var/runtime", "opt", "etc"} {
		a.folder(folder, 0o755)
	}
	a.folder("tmp", 0o1777)
	files := s.host
	for from, to := range s.clients {
		a.tree(from, to)
	}
	for _, file := range files {
		a.tree(file, file)
	}
	for link, target := range s.links {
		a.link(link, target)
	}
	for name, inside := range map[string]string{"standin/nodejs/client.cjs": "/var/runtime/client.cjs"} {
		text, err := bootstraps.ReadFile(name)
		if err != nil {
			return err
		}
		a.file(inside, 0o644, text)
	}
	if s.bootstrap != "" {
		a.file("/var/runtime/bootstrap", 0o755, []byte(s.bootstrap))
	}
	libraries, err := sharedLibraries(a.binaries)
	if err != nil {
		return err
	}
	for _, library := range libraries {
		a.tree(library, library)
	}
	if a.err != nil {
		return a.err
	}
	return w.Close()
}

var libraryPath = regexp.MustCompile(`(?m)^\s*(?:\S+ => )?(/\S+) \(0x`)

// sharedLibraries are the paths that the dynamic loader would load for the
// files, and the loader itself.
func sharedLibraries(files []string) ([]string, error) {
	out, err := run("ldd", files...)
	if err != nil && !strings.Contains(err.Error(), "not a dynamic executable") {
		return nil, err
	}
	if err != nil {
		out = err.Error()
	}
	var paths []string
	seen := map[string]bool{}
	for _, match := range libraryPath.FindAllStringSubmatch(out, -1) {
		if !seen[match[1]] {
			seen[match[1]] = true
			paths = append(paths, match[1])
		}
	}
	return paths, nil
}

// archive writes files of this machine, and remembers its first error.
type archive struct {
	*tar.Writer
	have     map[string]bool
	binaries []string
	err      error
}

func (a *archive) header(h *tar.Header) bool {
	h.Name = strings.TrimPrefix(h.Name, "/")
	if a.err != nil || a.have[h.Name] {
		return false
	}
	if parent := path.Dir(h.Name); parent != "." && !a.have[parent] {
		a.folder(parent, 0o755)
	}
	a.have[h.Name] = true
	a.err = a.WriteHeader(h)
	return a.err == nil
}

func (a *archive) folder(name string, mode int64) {
	a.header(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode})
}

func (a *archive) link(name, target string) {
	a.header(&tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target})
}

func (a *archive) file(name string, mode int64, content []byte) {
	if a.header(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))}) {
		_, a.err = a.Write(content)
	}
}

// unneeded are the parts of Python's library that no function uses, and the
// packages that this machine has beside it.
var unneeded = regexp.MustCompile(`/(site-packages|dist-packages|test|idlelib|tkinter|turtledemo|ensurepip|lib2to3|config-[^/]*)$`)

// tree adds a file or folder of this machine. What a symbolic link points to
// is added in the link's place, since it may be anywhere.
func (a *archive) tree(from, to string) {
	err := filepath.WalkDir(from, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if unneeded.MatchString(file) {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := os.Stat(file)
		if err != nil || !info.Mode().IsRegular() {
			return nil //nolint:nilerr // a link to nowhere, or to a folder
		}
		content, err := os.ReadFile(file) //nolint:gosec // of this machine, for tests on it
		if err != nil {
			return err
		}
		if strings.HasPrefix(string(content), "\x7fELF") {
			a.binaries = append(a.binaries, file)
		}
		a.file(to+strings.TrimPrefix(file, from), int64(info.Mode().Perm()), content)
		return a.err
	})
	if a.err == nil {
		a.err = err
	}
}
